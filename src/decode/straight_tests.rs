//! The law of the straight way: where it finds a way at all, it ends where the careful way does.

use super::super::call_summary::read_carefully;
use super::read;
use proptest::prelude::*;

macro_rules! samples {
    ($($name:literal),*) => { [$(include_str!(concat!("../../tests/fixtures/samples/", $name))),*] };
}

/// Twilio's own examples: all kinds of calls and edges.
const DATA: [&str; 11] = samples![
    "event-v1-predicted-complete-client-canceled.data.json",
    "rest-list-readWithAbnormalSession-1-sip.json",
    "rest-list-readWithCarrier-1-carrier.json",
    "rest-list-readWithCarrier-2-carrier.json",
    "rest-list-readWithSubaccount-1-client.json",
    "rest-list-readWithSubaccount-2-client.json",
    "rest-list-readWithTrust-1-trunking.json",
    "rest-list-readWithTrust-2-carrier.json",
    "rest-list-readWithTrust-3-carrier.json",
    "rest-list-readWithAnnotationParameters-1-sip.json",
    "rest-real-2020-carrier-with-sdk_edge.json"
];

const NAMES: [&str; 16] = [
    "call_sid",
    "processing_version",
    "duration",
    "from",
    "sdk",
    "tags",
    "properties",
    "metrics",
    "inbound",
    "carrier_edge",
    "jitter",
    "avg",
    "annotation",
    "account_sid",
    "new",
    "direction",
];

const VALUES: [&str; 16] = [
    "null",
    r#""""#,
    r#""CA1""#,
    r#""a-b\n""#,
    "7",
    "-0.0",
    "1e999",
    "true",
    "{}",
    "[]",
    r#"["x"]"#,
    r#"{"avg":1}"#,
    r#"{"inbound":{"codec":1}}"#,
    r#"{"inbound":null}"#,
    r#"{"new":[{}]}"#,
    "oops",
];

#[test]
fn events_as_documented_take_the_straight_way() {
    let edges = DATA.iter().map(|data| {
        let read = read(data).expect("nothing to tell of Twilio's examples");
        assert_eq!(Ok(&read), read_carefully(data).as_ref(), "{data}");
        read.edges.len()
    });
    assert!(edges.sum::<usize>() > 10, "most have edges");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn whatever_an_event_says_both_ways_agree(
        which in 0..DATA.len(),
        odd in prop::collection::vec((0_usize..100_000, 0..NAMES.len(), 0..VALUES.len()), 1..4),
    ) {
        let mut data = DATA[which].to_owned();
        for (place, name, value) in odd {
            let places: Vec<usize> = data.match_indices('{').map(|(at, _)| at + 1).collect();
            let place = places[place % places.len()];
            data.insert_str(place, &format!(r#""{}":{},"#, NAMES[name], VALUES[value]));
        }
        let data = data.replace(",}", "}");
        if let Some(read) = read(&data) {
            prop_assert_eq!(Ok(read), read_carefully(&data), "{}", data);
        }
    }
}

#[test]
fn what_stands_twice_in_an_edge_is_left_to_the_careful_way() {
    let summary = |edges: &str| format!(r#"{{"call_sid":"CA1",{edges}}}"#);
    for once in [
        r#""sip_edge":{"properties":{},"metrics":{}}"#,
        r#""sip_edge":{"metrics":{"inbound":{}}}"#,
        r#""sip_edge":null"#,
        r#""sip_edge":"""#,
    ] {
        assert!(read(&summary(once)).is_some(), "{once}");
    }
    for twice in [
        r#""sip_edge":{"properties":{},"properties":{}}"#,
        r#""sip_edge":{"metrics":{},"metrics":{}}"#,
        r#""sip_edge":{"metrics":{"inbound":{},"inbound":{}}}"#,
        r#""sip_edge":{"metrics":{}},"sip_edge":{"metrics":{}}"#,
    ] {
        assert!(read(&summary(twice)).is_none(), "{twice}");
    }
    for odd in [r#""sip_edge":"x""#, r#""sip_edge":{"metrics":""}"#, r#""from":"x""#, r#""from":7"#]
    {
        assert!(read(&summary(odd)).is_none(), "{odd}");
    }
}
