//! Another process, and its sudden death: what was acknowledged is there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::database::{DatabaseUrl, Db, Options};
use super::tests_basics::TABLES;
use super::tests_transactions::PATIENCE;

/// Set in the child process: the file to write to.
const CHILD_VARIABLE: &str = "SYMBOLIST_TEST_KILLED_WRITER";
/// Begins a line in which the child says what was acknowledged.
const ACKNOWLEDGED: &str = "acknowledged ";
const TASKS: i64 = 16;
/// Acknowledgements after which the child is killed.
const ENOUGH: usize = 400;

fn options(path: PathBuf, own_data_folder: bool) -> Options {
    Options { own_data_folder, migrations: TABLES, ..Options::new(DatabaseUrl::Sqlite { path }) }
}

/// The child: writes without end, and says so after each answer.
async fn write_until_killed(path: PathBuf) {
    let db = Db::open(&options(path, true)).await.unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|first| {
            let db = db.clone();
            tokio::spawn(async move {
                for id in (first..).step_by(TASKS as usize) {
                    db.write(move |tx| {
                        Box::pin(async move {
                            let name = format!("n{id}");
                            tx.execute("INSERT INTO item (id, name) VALUES ($1, $2)", &[&id, &name])
                                .await
                        })
                    })
                    .await
                    .unwrap();
                    writeln!(std::io::stdout(), "{ACKNOWLEDGED}{id}").unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    if let Some(path) = std::env::var_os(CHILD_VARIABLE) {
        return write_until_killed(path.into()).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("symbolist.db");
    // A guest that is there all the time sees the other process's changes.
    let guest = Db::open(&options(path.clone(), false)).await.unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    guest.on_foreign_change(move || tell.send(()).unwrap());

    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "db::engine::tests_kill::what_was_acknowledged_survives_a_kill",
        ])
        .env(CHILD_VARIABLE, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut acknowledged: Vec<i64> =
        lines.by_ref().filter_map(|line| number(&line)).take(ENOUGH).collect();
    child.kill().unwrap();
    acknowledged.extend(lines.filter_map(|line| number(&line)));
    child.wait().unwrap();
    assert!(acknowledged.len() >= ENOUGH, "only {}", acknowledged.len());

    tokio::time::timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
    // The lock died with its owner.
    let server = Db::open(&options(path, true)).await.unwrap();
    let stored: Vec<i64> = server
        .read(|tx| Box::pin(async move { tx.all("SELECT id FROM item", &[]).await }))
        .await
        .unwrap();
    let missing: Vec<&i64> = acknowledged.iter().filter(|id| !stored.contains(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let check: String = server
        .read(|tx| Box::pin(async move { tx.one("PRAGMA integrity_check", &[]).await }))
        .await
        .unwrap();
    assert_eq!(check, "ok");
}

fn number(line: &str) -> Option<i64> {
    line.strip_prefix(ACKNOWLEDGED)?.parse().ok()
}
