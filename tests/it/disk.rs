//! A disk that fails under the running service: system calls that end in an error (strace puts them there), a
//! file system that is full or read-only. 503, `/readyz` says why, and a failed sync is never followed by a
//! 200 until a restart.
//!
//! Where tracing or mounting is not permitted, a test says SKIPPED and why.

use crate::support::service::Setup;
use crate::support::twilio::{self, PUBLIC_URL, TOKEN};
use crate::support::{Database, Event, Line, Service, eventually};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

/// Past the capture of the test harness, which shows nothing of a test that passes.
fn skipped(why: &str) {
    drop(writeln!(std::io::stderr(), "!!! SKIPPED: a test of disk or clock: {why}"));
}

/// While this lives, system calls of the service end in an error.
struct Fault {
    strace: Child,
    /// Held open: strace tells of every new thread, and a broken pipe would end it, and the fault, unseen.
    _said: BufReader<ChildStderr>,
}

impl Fault {
    /// `calls` is a list of system calls and `error` the name of an error; `None` where that can't be done.
    fn inject(service: &Service, calls: &str, error: &str) -> Option<Self> {
        let strace = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:error={error}")])
            .args(["-p", &service.id().to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut strace = match strace {
            Ok(strace) => strace,
            Err(error) => {
                skipped(&format!("strace can't be run: {error}"));
                return None;
            }
        };
        let mut said = BufReader::new(strace.stderr.take().expect("piped"));
        for line in said.by_ref().lines().map_while(Result::ok) {
            if line.contains("attached") {
                return Some(Self { strace, _said: said });
            }
            skipped(&format!("strace says: {line}"));
        }
        drop(strace.wait());
        None
    }

    /// The disk is well again.
    fn end(mut self) {
        let ended = self.strace.try_wait().expect("it was started by us");
        assert_eq!(ended, None, "the fault was there until now");
        let id = self.strace.id().to_string();
        let told = Command::new("kill").args(["-INT", &id]).status().expect("kill runs");
        assert!(told.success());
        self.strace.wait().expect("it lets go of the service");
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        drop(self.strace.kill());
        drop(self.strace.wait());
    }
}

fn call(number: usize) -> [Event; 1] {
    [Event::new(&format!("CA{number}"), "complete")]
}

async fn expect_503_with_retry_after(service: &Service, number: usize) {
    let body = twilio::array(&call(number));
    let delivery = twilio::delivery(PUBLIC_URL, TOKEN, &body);
    let answer = service.post(&delivery.target, Some(&delivery.signature), &body).await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
}

async fn expect_not_ready(service: &Service, word: &str) {
    let (status, report) = service.readiness().await;
    assert!(status == 503 && report["reasons"].to_string().contains(word), "{status} {report}");
}

#[tokio::test]
async fn after_a_sync_that_failed_nothing_is_acknowledged_until_a_restart() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path());
    let service = setup.start().await;
    assert_eq!(service.deliver_events(&call(0)).await, 200);
    service.drained().await;
    let Some(fault) = Fault::inject(&service, "fsync,fdatasync", "EIO") else { return };
    expect_503_with_retry_after(&service, 1).await;
    expect_not_ready(&service, "journal").await;
    fault.end();
    // The kernel may have dropped the pages and call the next sync a success.
    for number in 1..4 {
        expect_503_with_retry_after(&service, number).await;
    }
    expect_not_ready(&service, "restarted").await;
    service.kill();

    let service = setup.start().await;
    assert_eq!(service.readiness().await.0, 200);
    assert_eq!(service.deliver_events(&call(4)).await, 200);
    service.drained().await;
    for acknowledged in ["CA0", "CA4"] {
        let row = format!("call_summaries WHERE call_sid = '{acknowledged}'");
        assert_eq!(database.count(&row).await, 1);
    }
}

/// SQLite syncs by fsync; fdatasync is the checkpoint's, of the file into which it moves the log beside the commits.
#[tokio::test]
async fn after_a_checkpoint_that_could_not_be_synced_nothing_is_acknowledged_until_a_restart_and_nothing_is_lost()
 {
    let database = Database::migrated().await;
    let line = Line::to(database.url()).await;
    line.cut();
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::at(&line.through(database.url()), data.path());
    let service = setup.start().await;
    let filler = "x".repeat(500_000);
    let event = |number: usize| call(number).map(|event| event.with("filler", filler.as_str()));
    let Some(fault) = Fault::inject(&service, "fdatasync", "EIO") else { return };
    let mut accepted = 0;
    while service.deliver_events(&event(accepted)).await == 200 {
        accepted += 1;
        assert!(accepted < 1000, "half a gigabyte went through the log");
    }
    assert!(accepted > 3, "{accepted}");
    expect_not_ready(&service, "restarted").await;
    fault.end();
    expect_503_with_retry_after(&service, accepted).await;
    service.kill();

    line.mend();
    let service = setup.start().await;
    service.drained().await;
    let rows = usize::try_from(database.count("call_summaries").await).expect("few");
    assert_eq!(rows, accepted);
    assert_eq!(service.deliver_events(&call(accepted)).await, 200);
}

#[tokio::test]
async fn writes_that_fail_are_answered_503_and_go_on_without_a_restart() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::new(&database, data.path()).start().await;
    for (round, error) in ["ENOSPC", "EIO", "EROFS"].into_iter().enumerate() {
        let from = round * 10;
        assert_eq!(service.deliver_events(&call(from)).await, 200);
        service.drained().await;
        let Some(fault) = Fault::inject(&service, "pwrite64", error) else { return };
        expect_503_with_retry_after(&service, from + 1).await;
        expect_not_ready(&service, "journal could not be written").await;
        fault.end();
        eventually("it finds out by itself", || async { service.readiness().await.0 == 200 }).await;
        assert_eq!(service.deliver_events(&call(from + 2)).await, 200, "{error}");
    }
    service.drained().await;
    let acknowledged =
        "call_summaries WHERE call_sid IN ('CA0', 'CA2', 'CA10', 'CA12', 'CA20', 'CA22')";
    assert_eq!(database.count(acknowledged).await, 6);
    assert_eq!(database.count("call_summaries").await, 6, "and nothing that was answered 503");
}

/// A file system of its own, unmounted when dropped.
struct Mount<'p>(&'p Path);

impl<'p> Mount<'p> {
    fn tmpfs(at: &'p Path, options: &str) -> Option<Self> {
        Self::mount(&["-t", "tmpfs", "-o", options, "tmpfs"], at).then_some(Self(at))
    }

    fn remount(&self, options: &str) {
        assert!(Self::mount(&["-o", &format!("remount,{options}")], self.0), "remounted");
    }

    fn mount(arguments: &[&str], at: &Path) -> bool {
        let mounted = Command::new("mount").args(arguments).arg(at).output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        if !mounted {
            skipped("this user may not mount a file system");
        }
        mounted
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0).status());
    }
}

#[tokio::test]
async fn a_full_file_system_is_answered_503_until_there_is_room_and_costs_no_event() {
    let database = Database::migrated().await;
    let line = Line::to(database.url()).await;
    line.cut();
    let data = tempfile::tempdir().expect("a directory");
    let Some(mount) = Mount::tmpfs(data.path(), "size=2m") else { return };
    let service = Setup::at(&line.through(database.url()), data.path()).start().await;
    let filler = "x".repeat(50_000);
    let event = |number: usize| call(number).map(|event| event.with("filler", filler.as_str()));
    let mut accepted = 0;
    while service.deliver_events(&event(accepted)).await == 200 {
        accepted += 1;
        assert!(accepted < 100, "it is never full");
    }
    assert!(accepted > 3, "{accepted}");
    expect_not_ready(&service, "full").await;
    mount.remount("size=64m");
    eventually("it finds out by itself", || async { service.readiness().await.0 == 200 }).await;
    for number in accepted..accepted + 20 {
        assert_eq!(service.deliver_events(&event(number)).await, 200, "without a restart");
    }
    line.mend();
    service.drained().await;
    let rows = usize::try_from(database.count("call_summaries").await).expect("few");
    assert_eq!(rows, accepted + 20);
    service.kill(); // before the file system goes
    drop(mount);
}

#[tokio::test]
async fn a_read_only_directory_is_named_at_the_start() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let Some(_mount) = Mount::tmpfs(data.path(), "ro") else { return };
    let (status, said) = Setup::new(&database, data.path()).fails();
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("must be writable") && said.contains("Read-only"), "{said}");
}

#[tokio::test]
async fn a_clock_that_jumps_in_either_direction_holds_nothing_up() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    // The service's clock stands ten years ahead, then thirty years behind; in between what it received
    // under the other clock still waits in its journal.
    let line = Line::to(database.url()).await;
    line.cut();
    let setup = Setup::at(&line.through(database.url()), data.path());
    for (round, offset) in ["+3650d", "-10950d", "+0"].into_iter().enumerate() {
        let library = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
            .map(|arch| format!("/usr/lib/{arch}/faketime/libfaketime.so.1"))
            .into_iter()
            .find(|path| Path::new(path).exists());
        let Some(library) = library else {
            skipped("libfaketime is not there");
            return;
        };
        let service = setup
            .clone()
            .set("LD_PRELOAD", library)
            .set("FAKETIME", offset)
            .set("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .start()
            .await;
        assert_eq!(service.deliver_events(&call(round)).await, 200);
        if round == 2 {
            line.mend();
            service.drained().await;
        }
        let year = ["2036", "1996", "2026"][round];
        let stamp = format!("\"timestamp\":\"{year}");
        if round < 2 {
            service.says(&stamp).await; // or its clock was left alone
        }
        service.kill();
    }
    assert_eq!(database.count("call_summaries").await, 3);
}
