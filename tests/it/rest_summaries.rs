//! Summaries read from the REST API beside events: any order, any repeats, same row, and neither kind
//! blanks what only the other carries.

use crate::support::{Database, Event, Service, service::samples};
use callsink::decode::rest::rest_summary;
use callsink::decode::{Meaning, decode};
use callsink::domain::fields::SUMMARY_FIELDS;
use callsink::domain::known::Source;
use callsink::domain::{CallSummary, KnownCall, SummaryState, Value as Field};
use callsink::store::Session;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// All of a row that is a function of what was received and read.
const ROW: &str = "SELECT event_type, event_rank, processing_version, event_time, event_id, dataschema, \
    schema_version, duration, tags, call_state, parent_call_sid, answered_by, created_time, url, \
    annotation_call_score, from_sdk_version, trust_verified_caller, payload::text, other_payload::text, edges, \
    unreadable_fields, partial_time, predicted_complete_time, complete_time, summary_source, \
    rest_observed_time, first_received_time, last_received_time FROM call_summaries WHERE call_sid = ";

/// Something that told of the call.
#[derive(Debug, Clone)]
enum Word {
    Event(Event, i64),
    Rest(Value, i64),
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_323_045 + second, 0).expect("a time") // 2026-01-02T03:04:05Z
}

fn event(event: &Event, received: DateTime<Utc>) -> CallSummary {
    match decode(event.json().to_string().as_bytes(), received).meaning {
        Meaning::CallSummary { call, .. } => *call,
        other => panic!("not a call summary: {other:?}"),
    }
}

impl Word {
    /// As the word of the call `sid`.
    fn of(&self, sid: &str) -> KnownCall {
        match self {
            Self::Event(said, second) => {
                let mut said = said.clone();
                said.data["call_sid"] = sid.into();
                event(&said, at(*second)).into()
            }
            Self::Rest(item, second) => {
                let mut item = item.clone();
                item["call_sid"] = sid.into();
                rest_summary(&item.to_string(), at(*second)).expect("a summary")
            }
        }
    }
}

/// Words of one call that meet on every part of every order, and carry what only their kind carries.
fn words() -> impl Strategy<Value = Vec<Word>> {
    let content = (0..3_i64, prop::option::of(0..2_i64));
    let event = (
        prop::sample::select(vec![
            "partial",
            "predicted-complete",
            "complete",
            "complete",
            "error",
        ]),
        prop::option::of(0..3_i64),
        prop::option::of(-2..3_i64),
        content.clone(),
        0..9_i64,
    )
        .prop_map(|(state, version, time, (number, own), received)| {
            let mut event = Event::new("CA", state).with("duration", number);
            event = event.with("tags", vec![format!("tag{number}")]).id(&format!("EZ{number}"));
            event.time = time.map_or(Value::Null, |second| at(second).to_rfc3339().into());
            if let Some(version) = version {
                event = event.version(version);
            }
            if let Some(own) = own {
                event = event.with("parent_call_sid", format!("CAparent{own}"));
                event = event.with("from", json!({ "sdk": { "version": format!("{own}") } }));
                event = event.with("trust", json!({ "verified_caller": { "verified": own == 0 } }));
            }
            Word::Event(event, received)
        });
    let rest = (prop::sample::select(vec!["complete", "partial", "started"]), -2..3_i64, content)
        .prop_map(|(state, second, (number, own))| {
            let mut item = json!({ "processing_state": state, "duration": 10 + number,
                "carrier_edge": { "properties": { "direction": "inbound" } } });
            if let Some(own) = own {
                item["answered_by"] = format!("human{own}").into();
                item["annotation"] = json!({ "call_score": own });
                item["created_time"] = "2026-01-02T03:00:00Z".into();
            }
            Word::Rest(item, second)
        });
    prop::collection::vec(prop_oneof![event, rest], 1..7)
}

fn merged<'w>(words: impl IntoIterator<Item = &'w Word>, sid: &str) -> Option<KnownCall> {
    words.into_iter().map(|word| word.of(sid)).reduce(KnownCall::merge)
}

proptest! {
    #[test]
    fn merging_events_and_rest_summaries_is_commutative_associative_and_idempotent(
        (words, shuffled) in words().prop_flat_map(|words| {
            let repeated: Vec<Word> = [words.clone(), words.clone()].concat();
            (Just(words), Just(repeated).prop_shuffle())
        }),
        cut in 0..14_usize,
    ) {
        let expected = merged(&words, "CA");
        prop_assert_eq!(&merged(&shuffled, "CA"), &expected, "any order, any repeats");
        let (left, right) = shuffled.split_at(cut.min(shuffled.len()));
        let both = match (merged(left, "CA"), merged(right, "CA")) {
            (Some(left), Some(right)) => Some(left.merge(right)),
            (left, right) => left.or(right),
        };
        prop_assert_eq!(&both, &expected, "in any groups");
    }

    #[test]
    fn a_row_is_never_less_final_than_any_word_and_loses_nothing_that_one_kind_alone_carries(words in words()) {
        let known = merged(&words, "CA").expect("at least one word");
        for word in &words {
            prop_assert!(word.of("CA").state() <= known.state());
        }
        let column = |call: &KnownCall, name: &str| {
            let index = SUMMARY_FIELDS.iter().position(|field| field.column == name).expect("a column");
            call.values()[index].clone()
        };
        let events = words.iter().filter(|word| matches!(word, Word::Event(..)));
        let rests = words.iter().filter(|word| matches!(word, Word::Rest(..)));
        for (words, name) in [(merged(events, "CA"), "parent_call_sid"), (merged(rests, "CA"), "answered_by")] {
            let expected = words.map_or(Field::Null, |call| column(&call, name));
            prop_assert_eq!(column(&known, name), expected, "{}", name);
        }
    }
}

/// Random sequences of both kinds through the real statements, against the merged whole written at once.
#[tokio::test]
async fn the_statements_agree_with_the_pure_merge_on_random_sequences_of_both_kinds() {
    let database = Database::migrated().await;
    let mut session = Session::new(&database.store());
    let mut runner = TestRunner::deterministic();
    let (mut mixed, mut back_and_forth) = (0, 0);
    for number in 0..200 {
        let sequence = words().prop_flat_map(|words| {
            let repeated: Vec<Word> = [words.clone(), words].concat();
            Just(repeated).prop_shuffle()
        });
        let sequence = sequence.new_tree(&mut runner).expect("a value").current();
        let sid = |kind: &str| format!("CA{kind}{number}");
        let mut shown = Vec::new();
        for word in &sequence {
            match word {
                Word::Event(said, second) => {
                    let mut said = said.clone();
                    said.data["call_sid"] = sid("a").into();
                    session
                        .upsert_call_summaries(&[event(&said, at(*second))])
                        .await
                        .expect("stored");
                }
                Word::Rest(..) => {
                    session.merge_rest_summaries(&[word.of(&sid("a"))]).await.expect("stored");
                }
            }
            let source = "SELECT summary_source FROM call_summaries WHERE call_sid";
            shown.push(database.value::<String>(&format!("{source} = '{}'", sid("a"))).await);
        }
        let model = merged(&sequence, &sid("b")).expect("at least one word");
        mixed += u32::from(model.event.is_some() && model.rest.is_some());
        shown.dedup();
        back_and_forth += u32::from(shown.len() > 2);
        // The row does not exist, so that this writes what the model says and merges nothing.
        session.merge_rest_summaries(std::slice::from_ref(&model)).await.expect("stored");
        let row = |kind: &str| format!("{ROW} '{}'", sid(kind));
        let without_sid = |row: Value| row.to_string().replace("CAa", "CA").replace("CAb", "CA");
        let found = without_sid(database.json(&row("a")).await);
        let expected = without_sid(database.json(&row("b")).await);
        assert_eq!(found, expected, "sequence {number}: {sequence:?}");
    }
    assert!(
        mixed > 50 && back_and_forth > 5,
        "too tame: {mixed} mixed, {back_and_forth} back and forth"
    );
}

#[test]
fn of_two_complete_summaries_the_later_counts_and_a_rest_partial_ranks_below_any_versioned_one() {
    let shows = |event: Event, state: &str, observed: i64| {
        let event = Word::Event(event, 0).of("CA");
        let rest = Word::Rest(json!({ "processing_state": state }), observed).of("CA");
        event.merge(rest).source()
    };
    let said = |state: &str| Event::new("CA", state).time(at(0).to_rfc3339());
    assert_eq!(shows(said("complete"), "complete", 1), Source::Rest);
    assert_eq!(shows(said("complete").version(9), "complete", 1), Source::Rest);
    assert_eq!(shows(said("complete"), "complete", 0), Source::Event, "at the same time");
    assert_eq!(shows(said("complete"), "complete", -1), Source::Event);
    assert_eq!(shows(said("complete"), "partial", 1), Source::Event);
    assert_eq!(shows(said("predicted-complete"), "partial", 1), Source::Event);
    assert_eq!(shows(said("predicted-complete"), "complete", -1), Source::Rest);
    assert_eq!(shows(said("partial").version(0), "partial", 1), Source::Event);
    assert_eq!(shows(said("partial"), "partial", 1), Source::Rest);
    assert_eq!(shows(said("partial"), "partial", -1), Source::Event);
}

/// Every sample of a REST summary: once as read from REST, once as the data of an event.
#[tokio::test]
async fn every_rest_sample_makes_the_columns_that_an_event_with_the_same_data_makes() {
    let database = Database::migrated().await;
    let mut session = Session::new(&database.store());
    let mut seen = 0;
    for entry in std::fs::read_dir(samples()).expect("samples") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let is_summary = ["rest-fetch", "rest-list", "rest-real-2020-carrier"];
        if !is_summary.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        seen += 1;
        let text = std::fs::read_to_string(&path).expect("text");
        let sid = |kind: &str| format!("CA{kind}{seen}");
        let data = |kind: &str| {
            let mut data: Value = serde_json::from_str(&text).expect("JSON");
            data["call_sid"] = sid(kind).into();
            data
        };
        let call = rest_summary(&data("rest").to_string(), at(0)).expect("readable");
        let merged = session.merge_rest_summaries(&[call]).await.expect("stored");
        assert!(merged[0].1.inserted && merged[0].1.shows_it, "{name}");
        let mut said = Event::new("", "complete");
        said.data = data("event");
        if said.data["tags"].is_null() {
            said.data["tags"] = json!([]); // how events say none
        }
        session.upsert_call_summaries(&[event(&said, at(0))]).await.expect("stored");
        let columns: Vec<&str> = SUMMARY_FIELDS.iter().map(|field| field.column).collect();
        let row = |kind: &str| {
            let columns = columns.join(", ");
            format!(
                "SELECT {columns}, edges, event_rank FROM call_summaries WHERE call_sid = '{}'",
                sid(kind)
            )
        };
        let (rest, event) = (database.json(&row("rest")).await, database.json(&row("event")).await);
        assert_eq!(rest, event, "{name}");
        assert_eq!(rest["event_rank"], 3, "{name}");
        let payload: Value = serde_json::from_str(
            &database
                .value::<String>(&format!(
                    "SELECT payload::text FROM call_summaries WHERE call_sid = '{}'",
                    sid("rest")
                ))
                .await,
        )
        .expect("JSON");
        assert_eq!(payload, data("rest"), "{name}");
    }
    assert!(seen >= 10, "only {seen} samples");
}

#[tokio::test]
async fn a_healed_call_takes_in_the_events_that_come_late_through_the_front_door() {
    let (service, database, _data) = Service::fresh().await;
    let mut session = Session::new(&database.store());
    let item = json!({ "call_sid": "CA1", "processing_state": "complete", "duration": 60,
        "answered_by": "human", "annotation": { "comment": "fine" } });
    let healed = rest_summary(&item.to_string(), at(0)).expect("readable");
    session.merge_rest_summaries(&[healed]).await.expect("stored");
    let row =
        "SELECT event_type IS NULL AS no_event, event_rank, summary_source FROM call_summaries";
    let expected = json!({ "no_event": true, "event_rank": 3, "summary_source": "rest" });
    assert_eq!(database.json(row).await, expected);

    let early =
        Event::new("CA1", "partial").version(1).time(at(-90).to_rfc3339()).with("duration", 1);
    let late =
        Event::new("CA1", "complete").version(7).time(at(-60).to_rfc3339()).with("duration", 61);
    let late = late.with("parent_call_sid", "CA0");
    assert_eq!(service.deliver_events(&[early, late]).await, 200);
    service.drained().await;
    let row = "SELECT summary_source, event_rank, duration, parent_call_sid, answered_by, annotation_comment, \
        processing_version, other_payload->>'duration' AS other, complete_time IS NOT NULL AS complete, \
        partial_time IS NOT NULL AS partial FROM call_summaries";
    let mut expected = json!({ "summary_source": "rest", "event_rank": 3, "duration": 60,
        "parent_call_sid": "CA0", "answered_by": "human", "annotation_comment": "fine",
        "processing_version": 7, "other": "61", "complete": true, "partial": true });
    assert_eq!(database.json(row).await, expected, "read from REST after the event");

    let later =
        Event::new("CA1", "complete").version(8).time(at(60).to_rfc3339()).with("duration", 62);
    assert_eq!(service.deliver_events(&[later]).await, 200);
    service.drained().await;
    expected["summary_source"] = "event".into();
    expected["duration"] = 62.into();
    expected["processing_version"] = 8.into();
    expected["other"] = "60".into();
    expected.as_object_mut().expect("an object").remove("parent_call_sid");
    assert_eq!(database.json(row).await, expected, "the later event wins, and REST's own stays");
    assert_eq!(database.count("callsink.dead_letters").await, 0);
}

#[test]
fn an_item_that_names_no_call_is_an_error_and_one_with_odd_fields_is_not() {
    for text in ["{}", "[]", "7", r#"{"call_sid":""}"#, r#"{"call_sid":7}"#, "{"] {
        assert!(rest_summary(text, at(0)).is_err(), "{text}");
    }
    let text =
        r#"{"call_sid":"CA1","duration":"soon","processing_state":[],"from":{"city":"a\u0000b"}}"#;
    let call = rest_summary(text, at(0)).expect("readable");
    let rest = call.rest.as_ref().expect("observed");
    assert_eq!(rest.unreadable.len(), 2, "{:?}", rest.unreadable);
    assert_eq!(call.state(), SummaryState::Other);
    assert!(rest.payload.contains("\\ufffd"));
}

/// Workers of two services and two healers at once on the same few calls: whatever meets, the rows are those of
/// the merge, and nobody waits for nobody.
#[tokio::test]
async fn writers_of_both_kinds_that_meet_on_the_same_rows_leave_what_the_merge_says() {
    let database = Database::migrated().await;
    let mut runner = TestRunner::deterministic();
    let sids: Vec<String> = (0..8).map(|number| format!("CA{number}")).collect();
    let mut draw = || words().new_tree(&mut runner).expect("a value").current();
    // What each writer says, batch by batch: of every call something.
    let said: Vec<Vec<Vec<(String, Word)>>> = (0..4)
        .map(|writer| {
            let wanted = |word: &Word| matches!(word, Word::Rest(..)) == (writer >= 2);
            let mut word =
                || std::iter::repeat_with(&mut draw).flatten().find(wanted).expect("one comes");
            (0..25).map(|_| sids.iter().map(|sid| (sid.clone(), word())).collect()).collect()
        })
        .collect();
    let mut writers = tokio::task::JoinSet::new();
    for batches in said.clone() {
        let store = database.store();
        writers.spawn(async move {
            let mut session = Session::new(&store);
            for batch in batches {
                let calls: Vec<KnownCall> = batch.iter().map(|(sid, word)| word.of(sid)).collect();
                if calls[0].rest.is_some() {
                    session.merge_rest_summaries(&calls).await.expect("stored");
                } else {
                    let events = calls.into_iter().map(|call| CallSummary {
                        call_sid: call.call_sid,
                        winner: call.event.expect("an event"),
                        latest: call.latest,
                        received: call.received,
                    });
                    session
                        .upsert_call_summaries(&events.collect::<Vec<_>>())
                        .await
                        .expect("stored");
                }
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.expect("no deadlock and no other error");
    }
    let mut session = Session::new(&database.store());
    for sid in &sids {
        let words =
            said.iter().flatten().flatten().filter(|(of, _)| of == sid).map(|(_, word)| word);
        let model = merged(words, &format!("{sid}model")).expect("words");
        session.merge_rest_summaries(std::slice::from_ref(&model)).await.expect("stored");
        let found = database.json(&format!("{ROW} '{sid}'")).await.to_string();
        let expected = database.json(&format!("{ROW} '{sid}model'")).await.to_string();
        assert_eq!(found, expected.replace(&format!("{sid}model"), sid), "{sid}");
    }
}
