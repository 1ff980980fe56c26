//! `callsink check-request`: which verification step a captured request fails, and why.
//!
//! In: a request as it was captured, and the settings. Out: a line per step, every string that was tried,
//! a verdict, and what to do; exit code 0 for a valid request, 1 for one that is not.
//! Promises: says what the service would say, as it asks the same verifier; prints no secret, no digit of
//! one, no signature that would be right, no body.
//! The way: `captured` reads, `steps` checks, `spellings` and `search` look for what was signed instead,
//! `body` for what was hashed instead, `why` has the words.

mod body;
mod captured;
mod search;
mod spellings;
mod steps;
#[cfg(test)]
mod tests;
mod url;
mod why;

pub use captured::CheckRequestArgs;

use captured::Case;
use serde_json::{Value, json};
use std::fmt;
use std::process::ExitCode;
use steps::{Findings, Outcome, check};

/// Checks; exit code 2 for arguments and settings that can't be used.
#[must_use]
pub fn run(args: CheckRequestArgs) -> ExitCode {
    let json = args.json;
    let case = match Case::new(args) {
        Ok(case) => case,
        Err(error) => {
            eprintln!("callsink: {error:#}");
            return ExitCode::from(2);
        }
    };
    let findings = check(&case);
    if json {
        println!("{}", findings.json(case.secrets.len()));
    } else {
        print!("{}", Text { findings: &findings, secrets: case.secrets.len() });
    }
    ExitCode::from(u8::from(findings.rejection.is_some()))
}

/// The findings for a person.
struct Text<'a> {
    findings: &'a Findings,
    secrets: usize,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { findings, secrets } = self;
        for step in &findings.steps {
            writeln!(formatter, "{:<11} {:<5} {}", step.name, step.outcome.word(), step.said)?;
        }
        writeln!(formatter, "Twilio must have signed one of these:")?;
        for tried in &findings.tried {
            let matches = if tried.matches { "match" } else { "no match" };
            writeln!(
                formatter,
                "  {}  secret {} of {secrets}: {matches}",
                tried.signed, tried.secret
            )?;
        }
        let Some(rejection) = findings.rejection else {
            return writeln!(formatter, "verdict: valid");
        };
        writeln!(formatter, "verdict: invalid ({}): {rejection}", rejection.as_str())?;
        match &findings.found {
            Some(found) => {
                writeln!(
                    formatter,
                    "the signature is for, under secret {} of {secrets}:",
                    found.secret
                )?;
                writeln!(formatter, "  {}", found.signed)?;
            }
            None => writeln!(
                formatter,
                "the signature is for none of {} other strings, either",
                findings.searched
            )?,
        }
        for why in findings.whys() {
            writeln!(formatter, "  {}", why.said())?;
        }
        if !findings.advice.is_empty() {
            writeln!(formatter, "what to do:")?;
        }
        for advice in &findings.advice {
            writeln!(formatter, "  - {advice}")?;
        }
        Ok(())
    }
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Holds => "ok",
            Self::Fails => "FAILS",
            Self::Note => "note",
        }
    }
}

impl Findings {
    fn whys(&self) -> impl Iterator<Item = &why::Why> {
        self.found.iter().flat_map(|found| &found.whys).chain(&self.body)
    }

    fn json(&self, secrets: usize) -> Value {
        json!({
            "valid": self.rejection.is_none(),
            "reason": self.rejection.map(crate::verify::Rejection::as_str),
            "steps": self.steps.iter().map(|step| json!({
                "step": step.name,
                "outcome": step.outcome.word().to_ascii_lowercase(),
                "detail": step.said,
            })).collect::<Vec<_>>(),
            "secrets": secrets,
            "tried": self.tried.iter().map(|tried| json!({
                "signed": tried.signed,
                "secret": tried.secret,
                "matches": tried.matches,
            })).collect::<Vec<_>>(),
            "signature_is_for": self.found.as_ref().map(|found| json!({
                "signed": found.signed,
                "secret": found.secret,
            })),
            "because": self.whys().map(why::Why::said).collect::<Vec<_>>(),
            "advice": self.advice,
        })
    }
}
