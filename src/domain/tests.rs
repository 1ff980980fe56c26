//! Which of an event and an observation a row shows, and what of the other it keeps.

use super::call::{LatestTimes, Received, Winner};
use super::fields::{Kind, Provenance, SUMMARY_FIELDS};
use super::known::Source;
use super::*;
use chrono::{DateTime, Utc};

fn second(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).expect("a time")
}

fn said_by(who: &str) -> (Vec<Value>, Vec<EdgeMetric>, String, Vec<String>) {
    let edge = EdgeMetric { edge: "sip_edge", direction: None, values: vec![text(who)] };
    (vec![text(who); SUMMARY_FIELDS.len()], vec![edge], who.to_owned(), vec![format!("{who}: odd")])
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn event(state: SummaryState, processing_version: Option<i64>, time: Option<i64>) -> Winner {
    let (values, edges, payload, unreadable) = said_by("event");
    let time = time.map(second);
    Winner {
        key: EventKey { state, processing_version, time, id: None },
        event_type: String::new(),
        source: None,
        dataschema: None,
        schema_version: None,
        values,
        edges,
        payload,
        unreadable,
    }
}

fn rest(state: SummaryState, observed: i64) -> RestSummary {
    let (values, edges, payload, unreadable) = said_by("rest");
    RestSummary { state, observed: second(observed), values, edges, payload, unreadable }
}

fn known(event: Option<Winner>, rest: Option<RestSummary>) -> KnownCall {
    let received = Received { first: second(0), last: second(0) };
    let latest = LatestTimes::default();
    KnownCall { call_sid: "CA1".to_owned(), event, rest, latest, received }
}

#[test]
fn the_more_final_summary_is_shown_and_of_two_alike_the_later() {
    use SummaryState::{Complete, Other, Partial, PredictedComplete};
    let cases = [
        // Of two complete ones the later, whatever version the event has.
        (event(Complete, Some(9), Some(10)), rest(Complete, 11), Source::Rest),
        (event(Complete, Some(9), Some(10)), rest(Complete, 10), Source::Event),
        (event(Complete, Some(9), Some(10)), rest(Complete, 9), Source::Event),
        (event(Complete, None, None), rest(Complete, 9), Source::Rest),
        // Of two that are not, one with a version over one that can't have any.
        (event(Partial, Some(0), Some(10)), rest(Partial, 99), Source::Event),
        (event(Partial, None, Some(10)), rest(Partial, 11), Source::Rest),
        (event(Partial, None, Some(10)), rest(Partial, 9), Source::Event),
        (event(Other, None, Some(10)), rest(Other, 11), Source::Rest),
        // Otherwise the more final, whenever that was.
        (event(PredictedComplete, None, Some(10)), rest(Complete, 1), Source::Rest),
        (event(PredictedComplete, None, Some(10)), rest(Partial, 99), Source::Event),
        (event(Complete, None, Some(10)), rest(Partial, 99), Source::Event),
        (event(Other, Some(3), Some(10)), rest(Partial, 1), Source::Rest),
    ];
    for (event, rest, expected) in cases {
        let (of_event, of_rest) = (event.key.state, rest.state);
        let case = format!("{:?} and {of_rest:?} at {}", event.key, rest.observed);
        let call = known(Some(event), Some(rest));
        assert_eq!(call.source(), expected, "{case}");
        let shown = if expected == Source::Event { of_event } else { of_rest };
        assert_eq!(call.state(), shown, "{case}");
    }
}

#[test]
fn a_call_known_by_one_kind_alone_shows_that() {
    let call = known(Some(event(SummaryState::Partial, None, None)), None);
    assert_eq!((call.source(), call.state()), (Source::Event, SummaryState::Partial));
    assert_eq!(call.payloads(), (Some("event"), None));
    let call = known(None, Some(rest(SummaryState::Complete, 1)));
    assert_eq!((call.source(), call.state()), (Source::Rest, SummaryState::Complete));
    assert_eq!(call.payloads(), (Some("rest"), None));
    assert_eq!(call.values()[0], text("rest"));
}

/// The words of the column `summary_source`; queries ask for them.
#[test]
fn whoever_is_shown_gives_edges_mistakes_and_payload_and_the_others_payload_is_kept() {
    let shown = |observed| {
        let event = event(SummaryState::Complete, None, Some(10));
        let call = known(Some(event), Some(rest(SummaryState::Complete, observed)));
        let word = call.source().as_str();
        assert_eq!(call.edges()[0].values, [text(word)]);
        assert_eq!(call.unreadable(), [format!("{word}: odd")]);
        assert_eq!(call.payloads().0, Some(word));
        (word, call.payloads().1.map(str::to_owned))
    };
    assert_eq!(shown(11), ("rest", Some("event".to_owned())));
    assert_eq!(shown(9), ("event", Some("rest".to_owned())));
}

#[test]
fn each_field_is_said_by_whom_the_table_names_and_where_that_one_is_silent_by_the_other() {
    for (observed, winner, loser) in [(11, "rest", "event"), (9, "event", "rest")] {
        let call = |event_is_silent: bool, rest_is_silent: bool| {
            let mut event = event(SummaryState::Complete, None, Some(10));
            let mut rest = rest(SummaryState::Complete, observed);
            if event_is_silent {
                event.values.fill(Value::Null);
            }
            if rest_is_silent {
                rest.values.fill(Value::Null);
            }
            known(Some(event), Some(rest)).values()
        };
        let both_speak = call(false, false);
        let loser_alone = call(winner == "event", winner == "rest");
        let winner_alone = call(loser == "event", loser == "rest");
        for (index, field) in SUMMARY_FIELDS.iter().enumerate() {
            let expected = match field.provenance {
                Provenance::Winner | Provenance::Either => winner,
                Provenance::Events => "event",
                Provenance::Rest => "rest",
            };
            assert_eq!(both_speak[index], text(expected), "{}", field.column);
            assert_eq!(winner_alone[index], text(winner), "{}", field.column);
            let filled_in =
                if field.provenance == Provenance::Winner { Value::Null } else { text(loser) };
            assert_eq!(loser_alone[index], filled_in, "{}", field.column);
        }
    }
}

#[test]
fn an_observation_is_as_final_as_it_says() {
    let state = |word| RestSummary::state_of(word);
    assert_eq!(state(Some("complete")), SummaryState::Complete);
    assert_eq!(state(Some("partial")), SummaryState::Partial);
    assert_eq!([state(Some("new")), state(None)], [SummaryState::Other; 2]);
}

#[test]
fn only_a_text_is_a_text() {
    assert_eq!(text("words").as_text(), Some("words"));
    assert_eq!(Value::Json("\"words\"".to_owned()).as_text(), None);
}

/// The store writes them into its statements; tests/it/schema.rs compares them with the database.
#[test]
fn each_kind_is_a_type_of_postgresql() {
    let kinds = [
        (Kind::Text, "text"),
        (Kind::Int4, "integer"),
        (Kind::Int8, "bigint"),
        (Kind::Float, "double precision"),
        (Kind::Bool, "boolean"),
        (Kind::Time, "timestamptz"),
        (Kind::Texts, "text[]"),
        (Kind::Json, "json"),
    ];
    for (kind, name) in kinds {
        assert_eq!(kind.sql_type(), name);
    }
}
