//! Windows of time, and the spans in which people and Twilio think.
//!
//! In: texts such as `3d` or `2026-01-02T03:00:00Z`, and what time it is. Out: whole hours, UTC.
//! Pure. Sources: Twilio keeps summaries for 30 days after the call; a summary is complete up to 30 minutes
//! after the end of the call.

use chrono::{DateTime, DurationRound, NaiveDate, NaiveTime, TimeDelta, Utc};

/// Twilio forgets what is older.
pub const KEPT: TimeDelta = TimeDelta::days(30);

/// After the end of a call its summary is final, and its events have come: thirty minutes, and a margin.
pub const SETTLED: TimeDelta = TimeDelta::minutes(45);

/// How much is asked for beyond both ends: whether Twilio's bounds are inclusive is not said, nor whether they
/// bound the start of a call or its end.
pub const OVERLAP: TimeDelta = TimeDelta::minutes(2);

const HOUR: TimeDelta = TimeDelta::hours(1);

/// One hour of calls, by their start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Its start, a whole hour.
    pub start: DateTime<Utc>,
}

/// What to ask Twilio for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// `StartTime`.
    pub from: DateTime<Utc>,
    /// `EndTime`.
    pub to: DateTime<Utc>,
}

impl Window {
    /// The window of a point in time.
    #[must_use]
    pub fn of(time: DateTime<Utc>) -> Self {
        Self { start: time.duration_trunc(HOUR).unwrap_or(time) }
    }

    /// Where the next one starts.
    #[must_use]
    pub fn end(self) -> DateTime<Utc> {
        self.start + HOUR
    }

    /// What to ask for, so that none of its calls is left out.
    #[must_use]
    pub fn span(self) -> Span {
        Span { from: self.start - OVERLAP, to: self.end() + OVERLAP }
    }

    /// The windows that touch `since..until`, oldest first.
    pub fn between(since: DateTime<Utc>, until: DateTime<Utc>) -> impl Iterator<Item = Self> {
        let first = Self::of(since);
        std::iter::successors(Some(first), |window| Some(Self { start: window.end() }))
            .take_while(move |window| window.start < until)
    }
}

impl Span {
    /// Both halves, if it is long enough to be halved. Twilio's times have whole seconds.
    #[must_use]
    pub fn halves(self) -> Option<[Self; 2]> {
        let middle = self.from + TimeDelta::seconds((self.to - self.from).num_seconds() / 2);
        let second = TimeDelta::seconds(1);
        // A second of overlap, because the bounds may be exclusive.
        let halves = [
            Self { from: self.from, to: middle + second },
            Self { from: middle - second, to: self.to },
        ];
        (self.to - self.from > TimeDelta::seconds(10)).then_some(halves)
    }
}

/// A range as a person asked for it, and how much of it Twilio no longer keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Inclusive.
    pub since: DateTime<Utc>,
    /// Exclusive.
    pub until: DateTime<Utc>,
    /// The part that was asked for and is gone: from here to `since`.
    pub gone_since: Option<DateTime<Utc>>,
}

impl Range {
    /// What can be read of `since..until` at `now`.
    ///
    /// # Errors
    /// Why nothing of it can be, for a person.
    pub fn readable(
        since: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, String> {
        let until = until.unwrap_or(now - SETTLED).min(now);
        if since >= until {
            return Err(format!(
                "--since {} is not before --until {}",
                since.format("%FT%TZ"),
                until.format("%FT%TZ"),
            ));
        }
        let oldest = now - KEPT;
        if until <= oldest {
            return Err(format!(
                "Twilio keeps summaries for 30 days, that is back to {}: nothing before can be read",
                oldest.format("%FT%TZ"),
            ));
        }
        let gone_since = (since < oldest).then_some(since);
        Ok(Self { since: since.max(oldest), until, gone_since })
    }
}

/// Reads `3d`, `90m`, `1w` (ago), a date, or a time in RFC 3339.
///
/// # Errors
/// What would be right, for a person.
pub fn time(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(date.and_time(NaiveTime::MIN).and_utc());
    }
    let ago = humantime::parse_duration(text).ok().and_then(|ago| TimeDelta::from_std(ago).ok());
    ago.and_then(|ago| now.checked_sub_signed(ago)).ok_or_else(|| {
        "expected how long ago, such as 90m, 4h, 3d or 1w, or a time such as 2026-01-31 or \
         2026-01-31T08:00:00Z"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        time(text, DateTime::UNIX_EPOCH).expect("a time")
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        let now = at("2026-01-31T08:00:00Z");
        assert_eq!(time("3d", now), Ok(at("2026-01-28T08:00:00Z")));
        assert_eq!(time("90m", now), Ok(at("2026-01-31T06:30:00Z")));
        assert_eq!(time("1w", now), Ok(at("2026-01-24T08:00:00Z")));
        assert_eq!(time("2026-01-31", now), Ok(at("2026-01-31T00:00:00Z")));
        assert_eq!(time("2026-01-31T09:00:00+01:00", now), Ok(now));
        for wrong in ["", "soon", "3", "-3d", "31.01.2026", "2026-02-30", "900000000y"] {
            assert!(time(wrong, now).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_twilio_has_forgotten_is_said_and_left_out() {
        let now = at("2026-03-31T08:00:00Z");
        let range =
            |since: &str, until: Option<&str>| Range::readable(at(since), until.map(at), now);
        let old = range("2026-02-01", None).expect("partly");
        assert_eq!(old.since, at("2026-03-01T08:00:00Z"));
        assert_eq!(old.gone_since, Some(at("2026-02-01")));
        assert_eq!(old.until, now - SETTLED);
        assert!(range("2026-02-01", Some("2026-02-03")).is_err(), "all gone");
        assert!(range("2026-03-30", Some("2026-03-29")).is_err(), "the wrong way round");
        assert_eq!(range("2026-03-30", Some("2027-01-01")).expect("cut").until, now);
    }

    proptest! {
        #[test]
        fn every_moment_of_a_range_is_in_exactly_one_window(
            since in 0..10_000_000_i64, length in 1..1_000_000_i64, moment in 0.0..1.0_f64
        ) {
            let second = |number| DateTime::from_timestamp(number, 0).expect("a time");
            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
            let moment = second(since + (moment * length as f64) as i64);
            let windows = Window::between(second(since), second(since + length));
            let holding = windows.filter(|window| window.start <= moment && moment < window.end());
            prop_assert_eq!(holding.collect::<Vec<_>>(), vec![Window::of(moment)]);
        }

        #[test]
        fn halves_leave_no_moment_out(length in 11..1_000_000_i64, moment in 0.0..=1.0_f64) {
            let second = |number| DateTime::from_timestamp(number, 0).expect("a time");
            let [left, right] = Span { from: second(0), to: second(length) }.halves().expect("long enough");
            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
            let moment = second((moment * length as f64) as i64);
            // Even if the bounds are exclusive.
            let inside = |span: Span| span.from < moment && moment < span.to;
            prop_assert!(inside(left) || inside(right) || moment == second(0) || moment == second(length));
        }
    }
}
