//! The operators' commands, as an operator runs them: the compiled binary, its output, its exit code.

mod backfill;
mod check_request;
mod doctor;
mod erase;
mod journal;
mod rebuild;
mod replay;
mod setup;

use crate::support::service::callsink;
use std::process::Command;

/// How a command ended, and what it said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(command: &mut Command) -> Said {
    let output = command.output().expect("the compiled binary");
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn help_names_the_commands_and_what_they_read() {
    let help = |arguments: &[&str]| {
        let said = run(callsink().args(arguments).arg("--help"));
        assert_eq!(said.code, Some(0), "{said:?}");
        said.out
    };
    let all = help(&[]);
    for command in ["replay", "erase", "rebuild", "journal", "check-request"] {
        assert!(all.contains(&format!("\n  {command} ")), "{all}");
    }
    for (arguments, words) in [
        (&["replay"][..], &["DATABASE_URL", "DATABASE_URL_FILE", "--all", "--dry-run"][..]),
        (&["rebuild"], &["DATABASE_URL_FILE", "--from-archive", "--rate"]),
        (&["erase"], &["DATABASE_URL_FILE", "--number", "--yes"]),
        (&["journal", "inspect"], &["CALLSINK_DATA_DIR", "--json"]),
        (&["journal", "verify"], &["CALLSINK_DATA_DIR", "exit 1"]),
        (&["journal", "export"], &["PERSONAL DATA", "--from", "--journal"]),
        (&["check-request"], &["CALLSINK_PUBLIC_URL", "TWILIO_AUTH_TOKEN_FILE", "--body-file"]),
    ] {
        let text = help(arguments);
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
}
