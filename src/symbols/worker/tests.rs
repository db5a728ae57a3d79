//! Verdicts, with small programs in the worker's place. The real one is tested in `tests/worker.rs`.

use super::*;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;

fn limits() -> Limits {
    Limits {
        at_once: 2,
        memory_bytes: 256 << 20,
        cpu_s: 1,
        wall: Duration::from_millis(1_500),
        output_bytes: 1 << 20,
    }
}

struct Door {
    folder: tempfile::TempDir,
    workers: Workers,
}

impl Door {
    /// Workers that run `script` in `sh`; `$input` is the path of the first input.
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("worker");
        let text = format!(
            "#!/bin/sh\nfor a in \"$@\"; do case $a in --input=*) input=/proc/self/fd/${{a#--input=}};; esac; done\n{script}\n"
        );
        // Written by another process: a file that a thread of ours still has open for writing when
        // another test forks cannot be executed (ETXTBSY).
        let written = std::process::Command::new("sh")
            .arg("-c")
            .arg("printf %s \"$1\" > \"$2\"")
            .args(["sh", &text, program.to_str().unwrap()])
            .status();
        assert!(written.unwrap().success());
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let workers = Workers::new(program, folder.path().to_owned(), limits());
        Self { folder, workers }
    }

    fn input(&self, text: &str) -> File {
        let scratch = Scratch::create(self.folder.path()).unwrap();
        scratch.file().write_all(text.as_bytes()).unwrap();
        scratch.open_read_only().unwrap()
    }

    async fn run(&self) -> Result<WorkerOutcome> {
        self.workers.run(Operation::ListBundle, vec![self.input("the input")]).await
    }
}

#[track_caller]
fn assert_crashed(outcome: Result<WorkerOutcome>, words: &str) {
    match outcome {
        Ok(WorkerOutcome::Crashed(why)) => assert!(why.contains(words), "{why}"),
        other => panic!("expected a crash, not {other:?}"),
    }
}

#[track_caller]
fn assert_too_large(outcome: Result<WorkerOutcome>, words: &str) {
    match outcome {
        Ok(WorkerOutcome::TooLargeHere(why)) => assert!(why.contains(words), "{why}"),
        other => panic!("expected too large here, not {other:?}"),
    }
}

#[tokio::test]
async fn a_worker_reads_its_input_and_answers_in_its_output() {
    let door = Door::new(r#"tr a-z A-Z < $input; echo '{"notes":["no unwind info"]}' >&2"#);
    let Ok(WorkerOutcome::Output(output, report)) = door.run().await else { panic!("no output") };
    let mut text = String::new();
    output.open_read_only().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "THE INPUT");
    assert_eq!(report.notes, ["no unwind info"]);
}

#[tokio::test]
async fn a_worker_has_an_empty_environment_and_only_its_own_descriptors() {
    let door = Door::new(
        "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=; ls -l /proc/self/fd | grep -c deleted",
    );
    let held: Vec<File> = (0..20).map(|_| door.input("held by the server")).collect();
    let runs = (0..8).map(|_| door.run());
    for outcome in futures_util::future::join_all(runs).await {
        let Ok(WorkerOutcome::Output(output, _)) = outcome else { panic!("no output") };
        let mut text = String::new();
        output.open_read_only().unwrap().read_to_string(&mut text).unwrap();
        // The one nameless file that it may see is its input.
        assert_eq!(text.trim(), "1");
    }
    drop(held);
}

#[tokio::test]
async fn an_unusable_file_is_refused_with_the_reason() {
    let door = Door::new(r#"echo noise >&2; echo '{"reason":"file is empty"}' >&2; exit 3"#);
    assert!(matches!(door.run().await, Ok(WorkerOutcome::Unusable(why)) if why == "file is empty"));
}

#[tokio::test]
async fn a_worker_that_blames_us_is_an_error() {
    let door = Door::new(r#"echo '{"reason":"no limits"}' >&2; exit 4"#);
    assert_eq!(door.run().await.unwrap_err().to_string(), "a worker failed: no limits");
}

#[tokio::test]
async fn crashes_cost_the_file_only() {
    assert_crashed(Door::new("kill -SEGV $$").run().await, "signal 11");
    assert_crashed(
        Door::new("echo stack overflow >&2; kill -ABRT $$").run().await,
        "stack overflow",
    );
    assert_crashed(Door::new("echo at elf.rs >&2; exit 101").run().await, "panicked: at elf.rs");
    assert_crashed(Door::new("exit 77").run().await, "code 77: it said nothing");
}

#[tokio::test]
async fn exceeded_limits_are_told_apart() {
    let oom = Door::new("echo memory allocation of 9 bytes failed >&2; kill -ABRT $$");
    assert_too_large(oom.run().await, "256 MB of memory");
    assert_too_large(Door::new("exit 5").run().await, "256 MB of memory");
    assert_too_large(Door::new("kill -XCPU $$").run().await, "processor time");
    assert_too_large(Door::new("kill -XFSZ $$").run().await, "larger than 1 MB");
}

#[tokio::test]
async fn a_worker_that_never_ends_is_killed_and_others_go_on() {
    let endless = Door::new("while :; do :; done");
    let healthy = Door::new("cat $input");
    let (first, second) = tokio::join!(endless.run(), healthy.run());
    assert_too_large(first, "not read within 1 seconds");
    assert!(matches!(second, Ok(WorkerOutcome::Output(..))));
}

#[tokio::test]
async fn a_worker_that_says_too_much_is_cut_off_not_stopped() {
    let door = Door::new("head -c 1000000 /dev/zero >&2; echo done");
    assert!(matches!(door.run().await, Ok(WorkerOutcome::Output(..))));
}

#[tokio::test]
async fn a_worker_that_cannot_be_started_is_our_failure() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let workers = Workers::new(missing, folder.path().to_owned(), limits());
    assert!(matches!(
        workers.run(Operation::ListBundle, Vec::new()).await,
        Err(Error::Internal(_))
    ));
}
