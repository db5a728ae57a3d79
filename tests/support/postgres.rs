//! A PostgreSQL server of a test's own, which the test may stop.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A running PostgreSQL server on a port of 127.0.0.1. It is stopped at the end.
#[derive(Debug)]
pub(crate) struct Postgres {
    folder: TempDir,
    port: u16,
}

impl Postgres {
    /// Makes a cluster and starts it. A crash of the process loses nothing of it; one of the machine would.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        drop(listener);
        let server = Self { folder, port };
        let data = server.data();
        std::fs::create_dir(&data).expect("a folder for the cluster");
        if is_root() {
            for path in [server.folder.path(), &data] {
                run(Command::new("chown").arg("postgres").arg(path));
            }
        }
        run(server.program("initdb").args([
            "--username=symbolist",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]));
        server.up();
        server
    }

    /// Returns the address of a database that is there and empty.
    pub(crate) fn url(&self) -> String {
        format!("postgres://symbolist@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it as a crash does: connections break, nothing is finished.
    pub(crate) fn down(&self) {
        run(self.program("pg_ctl").args(["--mode=immediate", "--wait", "stop"]));
    }

    /// Starts it, after it was stopped.
    pub(crate) fn up(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off",
            self.port
        );
        run(self
            .program("pg_ctl")
            .arg("--wait")
            .arg("--log")
            .arg(self.data().join("log"))
            .args(["-o", &options, "start"]));
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Returns a program of PostgreSQL's, about this cluster; they refuse to be run by root.
    fn program(&self, name: &str) -> Command {
        let program = newest_programs().join(name);
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        command.current_dir(self.folder.path()).arg("--pgdata").arg(self.data());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.program("pg_ctl").args(["--mode=immediate", "stop"]).output();
    }
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

fn newest_programs() -> PathBuf {
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let versions = std::fs::read_dir(Path::new("/usr/lib/postgresql"));
    let versions = versions.expect("PostgreSQL is installed: tests/run does it");
    let newest = versions.filter_map(|entry| Some(entry.ok()?.path())).max_by_key(version);
    newest.expect("PostgreSQL is installed: tests/run does it").join("bin")
}

/// Runs a command to its end; what it prints goes nowhere, because a server that it starts keeps the channel.
fn run(command: &mut Command) {
    let null = std::process::Stdio::null;
    let status = command.stdin(null()).stdout(null()).stderr(null()).status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?} failed: {status}");
}
