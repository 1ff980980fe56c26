//! The row that a call should have, worked out without the service.
//!
//! In: a call, its events, which of them were acknowledged. Out: the rows that are right.
//! Promises: typed columns come from the made-up call and not from the JSON; the winner is found here
//! by the documented key (rank of the type, processing version, time, id) and not by `domain`, so that
//! an error there shows.

use super::call::Call;
use super::events::{Event, Stage};
use super::ledger::Record;
use super::payload;
use super::script::Script;
use chrono::{DateTime, Utc};

/// What is compared of a row, expected or found.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Row {
    pub(super) event_id: Option<String>,
    pub(super) event_type: Option<String>,
    pub(super) processing_version: Option<i64>,
    pub(super) event_time: Option<DateTime<Utc>>,
    pub(super) payload: String,
    pub(super) partial_time: Option<DateTime<Utc>>,
    pub(super) predicted_complete_time: Option<DateTime<Utc>>,
    pub(super) complete_time: Option<DateTime<Utc>>,
    pub(super) account_sid: Option<String>,
    pub(super) call_state: Option<String>,
    pub(super) call_type: Option<String>,
    pub(super) duration: Option<i32>,
    pub(super) connect_duration: Option<i32>,
    pub(super) pdd_ms: Option<i32>,
    pub(super) direction: Option<String>,
    pub(super) from_country_code: Option<String>,
    pub(super) to_carrier: Option<String>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) edge_rows: i64,
    pub(super) packets_received: i64,
    pub(super) packets_lost: i64,
}

/// One column that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) column: &'static str,
    pub(super) expected: String,
    pub(super) found: String,
}

/// How a row stands to what is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Missing,
    Wrong(Vec<Difference>),
}

/// Judges what was found of the call numbered `index`.
pub(super) fn judge(
    script: &Script,
    index: u32,
    record: Record,
    found: Option<&Row>,
) -> serde_json::Result<Verdict> {
    let call = script.call(index);
    let events = script.events(index, &call);
    let open = record.open & !record.acknowledged;
    let mut first = None;
    // Every subset of the open events may have been kept beside the acknowledged ones.
    for also_kept in (0..=open).filter(|subset| subset & !open == 0) {
        let expected = row(&call, &events, record.acknowledged | also_kept)?;
        if expected.as_ref() == found {
            return Ok(Verdict::Right);
        }
        first.get_or_insert(expected);
    }
    Ok(match (first.flatten(), found) {
        (_, None) => Verdict::Missing,
        (None, Some(_)) => Verdict::Wrong(vec![Difference {
            column: "(row)",
            expected: "none, as every event was refused".to_owned(),
            found: "a row".to_owned(),
        }]),
        (Some(expected), Some(found)) => Verdict::Wrong(differences(&expected, found)),
    })
}

/// The row after exactly the events in `kept`; none after none.
fn row(call: &Call, events: &[Event], kept: u8) -> serde_json::Result<Option<Row>> {
    let kept = || (0..).zip(events).filter(|(bit, _)| kept & (1 << bit) != 0).map(|(_, it)| it);
    let latest = |is_state: fn(Stage) -> bool| {
        kept().filter(|event| is_state(event.stage)).map(|event| event.time).max().and_then(time)
    };
    let key = |event: &&Event| {
        (event.stage.rank(), event.processing_version, event.time, event.id.clone())
    };
    let Some(winner) = kept().max_by_key(key) else { return Ok(None) };
    let payload = payload::data(call.clone(), winner)?;
    let call = call.clone().known_at(winner.stage);
    let metrics = || call.edges.iter().flat_map(super::edge::Edge::directions);
    Ok(Some(Row {
        event_id: Some(winner.id.clone()),
        event_type: Some(winner.stage.event_type()),
        processing_version: Some(winner.processing_version),
        event_time: time(winner.time),
        payload,
        partial_time: latest(|stage| matches!(stage, Stage::Partial { .. })),
        predicted_complete_time: latest(|stage| stage == Stage::PredictedComplete),
        complete_time: latest(|stage| stage == Stage::Complete),
        account_sid: known(call.account.sid),
        call_state: known(call.state.as_str()),
        call_type: known(call.call_type.as_str()),
        duration: i32::try_from(call.duration).ok(),
        connect_duration: i32::try_from(call.connect_duration).ok(),
        pdd_ms: i32::try_from(call.pdd_ms).ok(),
        direction: known(call.direction),
        from_country_code: known(call.from.country),
        to_carrier: known(call.to.carrier),
        tags: call.tags_as_sent().map(|tags| tags.iter().map(|&tag| tag.to_owned()).collect()),
        // An edge without metrics still has its properties, in a row without direction.
        edge_rows: call
            .edges
            .iter()
            .map(|edge| i64::try_from(edge.directions().count().max(1)).unwrap_or(i64::MAX))
            .sum(),
        packets_received: metrics().filter_map(|metrics| metrics.packets_received).sum(),
        packets_lost: metrics().filter_map(|metrics| metrics.packets_lost).sum(),
    }))
}

fn time(milliseconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(milliseconds)
}

/// Typed columns are NULL where events say nothing in so many words.
fn known(text: &str) -> Option<String> {
    (!text.is_empty() && !text.starts_with("unknown_")).then(|| text.to_owned())
}

/// The columns that differ, in words. A payload holds phone numbers, so that it isn't shown.
fn differences(expected: &Row, found: &Row) -> Vec<Difference> {
    let mut differences = Vec::new();
    macro_rules! compare {
        ($($column:ident),* $(,)?) => {$(
            if expected.$column != found.$column {
                differences.push(Difference {
                    column: stringify!($column),
                    expected: format!("{:?}", expected.$column),
                    found: format!("{:?}", found.$column),
                });
            }
        )*};
    }
    compare!(
        event_id,
        event_type,
        processing_version,
        event_time,
        partial_time,
        predicted_complete_time,
        complete_time,
        account_sid,
        call_state,
        call_type,
        duration,
        connect_duration,
        pdd_ms,
        direction,
        from_country_code,
        to_carrier,
        tags,
        edge_rows,
        packets_received,
        packets_lost,
    );
    if expected.payload != found.payload {
        let same = expected.payload.bytes().zip(found.payload.bytes()).take_while(|(a, b)| a == b);
        let position = same.count();
        differences.push(Difference {
            column: "payload",
            expected: format!("{} bytes as sent", expected.payload.len()),
            found: format!("{} bytes, different from byte {position} on", found.payload.len()),
        });
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::super::script::DataForm;
    use super::*;
    use chrono::TimeDelta;

    fn script() -> Script {
        let start = DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time");
        Script::new(5, 400, start, TimeDelta::hours(6), DataForm::Object)
    }

    fn expected(script: &Script, index: u32, kept: u8) -> Option<Row> {
        let call = script.call(index);
        row(&call, &script.events(index, &call), kept).expect("JSON")
    }

    fn record(acknowledged: u8, open: u8, refused: u8) -> Record {
        Record { acknowledged, open, refused }
    }

    #[test]
    fn a_complete_wins_whatever_its_version_and_time() {
        let script = script();
        for index in 0..script.calls {
            let call = script.call(index);
            let events = script.events(index, &call);
            let row = row(&call, &events, u8::MAX).expect("JSON").expect("a row");
            let is_complete = events.iter().any(|event| event.stage == Stage::Complete);
            assert_eq!(row.event_type.expect("a type").ends_with(".complete"), is_complete);
            assert_eq!(row.complete_time.is_some(), is_complete);
        }
    }

    #[test]
    fn a_row_is_right_with_or_without_an_event_whose_fate_is_open() {
        let script = script();
        let (without, with) = (expected(&script, 0, 0b01), expected(&script, 0, 0b11));
        assert_ne!(without, with);
        for found in [&without, &with] {
            let verdict = judge(&script, 0, record(0b01, 0b10, 0), found.as_ref());
            assert_eq!(verdict.expect("JSON"), Verdict::Right);
        }
        let verdict = judge(&script, 0, record(0b01, 0, 0b10), with.as_ref());
        assert!(matches!(verdict, Ok(Verdict::Wrong(_))));
    }

    #[test]
    fn a_call_of_which_nothing_was_acknowledged_may_be_absent() {
        let script = script();
        let absent = |record| judge(&script, 0, record, None).expect("JSON");
        assert_eq!(absent(record(0, 0, 0b1)), Verdict::Right);
        assert_eq!(absent(record(0, 0b1, 0)), Verdict::Right);
        assert_eq!(absent(record(0b1, 0, 0)), Verdict::Missing);
        let row = expected(&script, 0, 0b1);
        let refused = judge(&script, 0, record(0, 0, 0b1), row.as_ref()).expect("JSON");
        assert!(matches!(refused, Verdict::Wrong(_)));
    }

    #[test]
    fn a_difference_names_the_column_and_shows_no_payload() {
        let script = script();
        let mut found = expected(&script, 0, 0b1).expect("a row");
        found.duration = Some(-1);
        found.payload.push(' ');
        let Verdict::Wrong(differences) =
            judge(&script, 0, record(0b1, 0, 0), Some(&found)).expect("JSON")
        else {
            panic!("a wrong row was not noticed");
        };
        let columns: Vec<_> = differences.iter().map(|difference| difference.column).collect();
        assert_eq!(columns, ["duration", "payload"]);
        assert!(!format!("{differences:?}").contains("call_sid"));
    }
}
