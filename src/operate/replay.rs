//! `callsink replay`: dead letters again, after a fix.
//!
//! In: a selection of `callsink.dead_letters`. Out: what can be read and stored now stands in its table and
//! is a letter no more; of what fails again a line with digest and reason.
//! Promises: decoder and statements are those of the service; memory is bounded by a page, not by the
//! table; stopped at any point and run again it goes on where it was; a letter that the service receives
//! again meanwhile is kept.

use crate::apply::again::{self, Event, Outcome};
use crate::config::{self, DatabaseArgs};
use crate::store::{KeptLetter, LetterFilter, PageLimits, Session, migrate};
use crate::telemetry::metric::{REASONS, REFUSED, SANITISED};
use crate::verify::signature::hex;
use anyhow::Context as _;
use bytes::Bytes;
use clap::builder::PossibleValuesParser;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// One statement's worth, and what may be in memory beside the largest single event.
const PAGE: PageLimits = PageLimits { letters: 200, bytes: 8 << 20 };

/// Between lines of progress.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// Options of `callsink replay`. Selectors of one kind add up, those of different kinds narrow.
#[derive(clap::Args, Debug)]
#[command(group(clap::ArgGroup::new("selection").required(true).multiple(true)))]
pub struct ReplayArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,
    /// Every letter but the sanitised ones, whose rows are there already
    #[arg(long, group = "selection", conflicts_with_all = ["reason", "digest", "event_id"])]
    pub all: bool,
    /// Letters of this reason; may be given more than once
    #[arg(long, group = "selection", value_name = "REASON", value_parser = reasons())]
    pub reason: Vec<String>,
    /// Letters whose digest begins so, in hex, as psql and this command show it; may be given more than once
    #[arg(long, group = "selection", value_name = "HEX", value_parser = digest_span)]
    pub digest: Vec<(Vec<u8>, Vec<u8>)>,
    /// Letters of events with this CloudEvents id; may be given more than once
    #[arg(long, group = "selection", value_name = "ID")]
    pub event_id: Vec<String>,
    /// Stop after this many letters
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Only read them, and say which can be read now; whether PostgreSQL takes them is not tried
    #[arg(long)]
    pub dry_run: bool,
}

/// What happened so far.
#[derive(Debug, Default)]
struct Tally {
    replayed: u64,
    stored: u64,
    still_refused: u64,
    /// Stored, but received again in between: the letter stays for the next replay.
    received_again: u64,
}

/// Replays; exit code 0 when no letter of the selection is left.
///
/// # Errors
/// A wrong setting, or the database is away or does not fit. Everything until then is done.
pub async fn run(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let filter = filter(&args);
    let database = config::required_database(args.database)?;
    let place = database.place();
    // As the service would on its start: the statements are those of this binary's schema.
    if !args.dry_run {
        migrate::migrate(&database).await.with_context(|| format!("database {place}"))?;
    }
    let mut session = Session::new(&database);
    let mut tally = Tally::default();
    let replayed = replay(&mut session, &filter, args.limit, args.dry_run, &mut tally).await;
    println!("{}", tally.line(args.dry_run));
    replayed.with_context(|| {
        format!("database {place}; what was stored is stored, run the command again for the rest")
    })?;
    let nothing_left = tally.still_refused == 0 && tally.received_again == 0;
    Ok(if nothing_left { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn filter(args: &ReplayArgs) -> LetterFilter {
    let sanitised_is_named =
        !args.digest.is_empty() || args.reason.iter().any(|reason| reason == SANITISED);
    LetterFilter {
        reasons: args.reason.clone(),
        but_reasons: if sanitised_is_named { Vec::new() } else { vec![SANITISED.to_owned()] },
        digests: args.digest.clone(),
        event_ids: args.event_id.clone(),
    }
}

async fn replay(
    session: &mut Session,
    filter: &LetterFilter,
    limit: Option<u64>,
    dry_run: bool,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let mut after = (Vec::new(), String::new());
    // Letters that this replay itself made, under another reason than the one it found.
    let mut made: HashSet<(Vec<u8>, String)> = HashSet::new();
    let mut said = Instant::now();
    loop {
        let left = limit.map_or(u64::MAX, |limit| limit - tally.replayed);
        let letters = PAGE.letters.min(i64::try_from(left).unwrap_or(i64::MAX));
        if letters == 0 {
            return Ok(());
        }
        let limits = PageLimits { letters, ..PAGE };
        let mut page = session.dead_letters_after(filter, (&after.0, &after.1), limits).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.digest.clone(), last.reason.clone());
        page.retain(|letter| !made.contains(&(letter.digest.clone(), letter.reason.clone())));
        // Pages are in the order of the digest: only of the last one there can be more.
        made.retain(|(digest, _)| *digest == after.0);

        let events: Vec<Event> = page.iter_mut().map(event).collect();
        let outcomes = if dry_run {
            events.iter().map(again::read).collect()
        } else {
            again::store(session, &events).await?
        };
        for (letter, outcome) in page.iter().zip(outcomes) {
            let reason = conclude(session, letter, outcome, dry_run, tally).await?;
            if let Some(reason) = reason.filter(|reason| *reason != letter.reason) {
                made.insert((letter.digest.clone(), reason.to_owned()));
            }
        }
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            eprintln!("callsink: {} letters so far", tally.replayed);
        }
    }
}

/// The event of a letter; its bytes move.
fn event(letter: &mut KeptLetter) -> Event {
    Event {
        raw: Bytes::from(std::mem::take(&mut letter.raw)),
        first_received: letter.first_received,
        last_received: letter.last_received,
    }
}

/// Draws the consequences for the letter; the reason under which the event is a letter now, if it is.
async fn conclude(
    session: &mut Session,
    letter: &KeptLetter,
    outcome: Outcome,
    dry_run: bool,
    tally: &mut Tally,
) -> anyhow::Result<Option<&'static str>> {
    tally.replayed += 1;
    let (reason, detail, sqlstate) = match outcome {
        // Its row is there, as before, and its bytes are kept, as before.
        Outcome::Sanitised if letter.reason == SANITISED => {
            tally.refuse(letter, SANITISED, None);
            return Ok(Some(SANITISED));
        }
        Outcome::Stored | Outcome::Sanitised => {
            tally.stored += 1;
            if !dry_run && !session.delete_dead_letter(letter).await? {
                tally.received_again += 1;
                println!("received again  {}  {}", hex(&letter.digest), letter.reason);
            }
            return Ok(matches!(outcome, Outcome::Sanitised).then_some(SANITISED));
        }
        Outcome::Unreadable(trouble) => (trouble.reason.as_str(), trouble.detail, None),
        Outcome::Refused(refusal) => (REFUSED, refusal.to_string(), refusal.sqlstate),
    };
    if !dry_run {
        session.revise_dead_letter(letter, reason, &detail, sqlstate.as_deref()).await?;
    }
    tally.refuse(letter, reason, sqlstate.as_deref());
    Ok(Some(reason))
}

impl Tally {
    /// The detail may quote what was sent, so it is not printed; it stands in the table.
    fn refuse(&mut self, letter: &KeptLetter, reason: &str, sqlstate: Option<&str>) {
        self.still_refused += 1;
        let sqlstate = sqlstate.map_or(String::new(), |code| format!("  SQLSTATE {code}"));
        println!("still refused  {}  {reason}{sqlstate}", hex(&letter.digest));
    }

    fn line(&self, dry_run: bool) -> String {
        let Self { replayed, stored, still_refused, received_again } = self;
        if dry_run {
            return format!(
                "would replay {replayed}, readable {stored}, still refused {still_refused}"
            );
        }
        let mut line =
            format!("replayed {replayed}, stored {stored}, still refused {still_refused}");
        if *received_again > 0 {
            let written = write!(line, ", received again meanwhile and kept {received_again}");
            debug_assert!(written.is_ok(), "writing to a String cannot fail");
        }
        line
    }
}

/// A word that no letter has would replay nothing and look like success.
fn reasons() -> PossibleValuesParser {
    let words = REASONS.iter().map(|reason| reason.as_str());
    PossibleValuesParser::new(words.chain([REFUSED, SANITISED]))
}

/// The first and the last digest that begin with `prefix`.
fn digest_span(prefix: &str) -> Result<(Vec<u8>, Vec<u8>), String> {
    let prefix = prefix.strip_prefix("\\x").unwrap_or(prefix).to_ascii_lowercase();
    let is_hex = prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    if prefix.is_empty() || prefix.len() > 64 || !is_hex {
        return Err("expected 1 to 64 hex digits".to_owned());
    }
    let filled = |digit: char| {
        let mut digits = prefix.clone();
        digits.extend(std::iter::repeat_n(digit, 64 - prefix.len()));
        let bytes = digits.as_bytes().chunks_exact(2).map(|pair| {
            let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0);
            u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).unwrap_or(0)
        });
        bytes.collect()
    };
    Ok((filled('0'), filled('f')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_prefix_of_any_length_spans_the_digests_that_begin_with_it() {
        let (least, most) = digest_span("\\xABC").expect("hex");
        assert_eq!(
            (hex(&least), hex(&most)),
            (format!("abc{:0<61}", ""), format!("abc{:f<61}", ""))
        );
        for wrong in ["", "xyz", "ab cd", &"a".repeat(65)] {
            assert!(digest_span(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_digest_is_in_the_span_of_each_of_its_prefixes(digest in any::<[u8; 32]>(), digits in 1..=64_usize) {
            let (least, most) = digest_span(&hex(&digest)[..digits]).expect("hex");
            prop_assert!(least[..] <= digest[..] && digest[..] <= most[..]);
        }
    }
}
