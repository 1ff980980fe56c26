//! `callsink backfill` and `callsink coverage` against a Twilio that lists, refuses, stalls and changes.

use crate::support::insights::{ACCOUNT, Fault};
use crate::support::service::{Setup, callsink};
use crate::support::twilio::TOKEN;
use crate::support::{Database, Insights, eventually, made_up};
use callsink::domain::fields::{Provenance, SUMMARY_FIELDS};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::{Value, json};
use std::process::{Command, Output};
use std::time::Duration;

/// The start of an hour so long ago that its summaries are final.
fn hour(ago: i64) -> DateTime<Utc> {
    let now = Utc::now().duration_trunc(TimeDelta::hours(1)).expect("a time");
    now - TimeDelta::hours(ago)
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339()
}

/// `count` calls, evenly spread over `hours` hours from `start` on.
fn calls(start: DateTime<Utc>, hours: i64, count: u32) -> Vec<Value> {
    let step = TimeDelta::milliseconds(hours * 3_600_000 / i64::from(count));
    (0..count)
        .map(|number| {
            made_up::item(ACCOUNT, number + 1, start + step * i32::try_from(number).expect("few"))
        })
        .collect()
}

fn command(insights: &Insights, database: &Database, arguments: &[&str]) -> Command {
    let mut command = callsink();
    command.args(arguments).envs([
        ("DATABASE_URL", database.url()),
        ("TWILIO_ACCOUNT_SID", ACCOUNT),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("CALLSINK_INSIGHTS_API", &insights.url),
    ]);
    command
}

/// Runs to the end: exit code, standard output, standard error.
async fn run(mut command: Command) -> (i32, String, String) {
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("joined");
    let Output { status, stdout, stderr } = output.expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

async fn backfill(
    insights: &Insights,
    database: &Database,
    since: i64,
    more: &[&str],
) -> (i32, String, String) {
    let (since, until) = (text(hour(since)), text(hour(2)));
    let arguments = [&["backfill", "--since", &since, "--until", &until], more].concat();
    run(command(insights, database, &arguments)).await
}

async fn coverage(
    insights: &Insights,
    database: &Database,
    since: i64,
    more: &[&str],
) -> (i32, String, String) {
    let (since, until) = (text(hour(since)), text(hour(2)));
    let arguments = [&["coverage", "--since", &since, "--until", &until], more].concat();
    run(command(insights, database, &arguments)).await
}

/// Listed, present, missing, still_partial, healed and holes of the line that starts so.
fn counts(table: &str, line: &str) -> Vec<u64> {
    let line = table
        .lines()
        .find(|text| text.starts_with(line))
        .unwrap_or_else(|| panic!("no {line} in\n{table}"));
    line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

#[tokio::test]
async fn every_listed_call_of_every_page_gets_its_row_and_a_second_run_reads_nothing_again() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    insights.state().calls = calls(hour(5), 3, 700);
    insights.state().page_size = 100;
    let database = Database::empty().await;
    let (code, out, err) = backfill(&insights, &database, 5, &[]).await;
    assert_eq!(
        (code, out.trim()),
        (0, "3 windows read, 700 calls listed, inserted 700, improved 0, refused 0"),
        "{err}"
    );
    assert_eq!(
        database.count("call_summaries WHERE summary_source = 'rest' AND event_rank = 3").await,
        700
    );
    assert_eq!(database.count("callsink.backfill_windows WHERE state = 'done'").await, 3);
    assert_eq!(database.count("coverage WHERE missing = 0 AND listed = present").await, 3);
    let healed: i64 = database.value("SELECT sum(healed)::bigint FROM coverage").await;
    assert_eq!(healed, 700);
    let asked = insights.state().requests.len();
    let (code, out, err) = backfill(&insights, &database, 5, &[]).await;
    assert_eq!((code, insights.state().requests.len()), (0, asked), "{out}{err}");
    assert!(err.contains("3 windows were read before"), "{err}");
    let (_, out, _) = backfill(&insights, &database, 5, &["--again"]).await;
    assert_eq!(out.trim(), "3 windows read, 700 calls listed, inserted 0, improved 0, refused 0");
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_says_what_it_would() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    insights.state().calls = calls(hour(3), 1, 30);
    let database = Database::migrated().await;
    let (code, out, _) = backfill(&insights, &database, 3, &["--dry-run"]).await;
    assert_eq!(code, 0);
    assert_eq!(
        out.trim(),
        "1 windows read, 30 calls listed, would be inserted 30, would be improved 0, refused 0"
    );
    for table in ["call_summaries", "callsink.backfill_windows", "coverage"] {
        assert_eq!(database.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn an_outage_of_three_hours_is_found_call_by_call_and_healed_to_what_events_would_have_told()
{
    let insights = Insights::start(ACCOUNT, TOKEN);
    // Nine hours of calls; the events of 1,000 of the three hours in the middle never came.
    let (before, after) = (calls(hour(11), 9, 3000), 0..3000_usize);
    let in_outage = |index: &usize| (1000..2000).contains(index);
    insights.state().calls.clone_from(&before);
    let (database, whole) = (Database::migrated().await, Database::migrated().await);
    for (database, with_outage) in [(&database, true), (&whole, false)] {
        let data = tempfile::tempdir().expect("a directory");
        let service = Setup::new(database, data.path()).start().await;
        let told: Vec<usize> =
            after.clone().filter(|index| !(with_outage && in_outage(index))).collect();
        for chunk in told.chunks(500) {
            let events: Vec<_> =
                chunk.iter().map(|index| made_up::event(&before[*index], "complete")).collect();
            assert_eq!(service.deliver_events(&events).await, 200);
        }
        service.drained().await;
    }
    let others = "SELECT md5(string_agg(call::text, ' ' ORDER BY call_sid)) FROM call_summaries AS call \
        WHERE summary_source = 'event'";
    let untouched: String = database.value(others).await;

    let (code, table, err) = coverage(&insights, &database, 11, &[]).await;
    assert_eq!(code, 1, "{err}");
    assert_eq!(counts(&table, "total"), [3000, 2000, 1000, 0, 0, 1000], "{table}");
    assert_eq!(database.count("call_summaries").await, 2000, "reported, not healed");
    let seen = "SELECT sum(listed)::bigint AS listed, sum(missing)::bigint AS missing, sum(healed)::bigint AS healed, \
        count(*) FILTER (WHERE missing > 0) AS hours FROM coverage";
    assert_eq!(
        database.json(seen).await,
        json!({ "listed": 3000, "missing": 1000, "healed": 0, "hours": 3 })
    );

    let (code, table, err) = coverage(&insights, &database, 11, &["--heal", "--holes"]).await;
    assert_eq!(code, 0, "{err}");
    assert_eq!(counts(&table, "total"), [3000, 2000, 1000, 0, 1000, 0], "{table}");
    assert_eq!(table.lines().count(), 5, "a heading, three hours and a total: {table}");
    assert_eq!(
        database.json(seen).await,
        json!({ "listed": 3000, "missing": 0, "healed": 1000, "hours": 0 })
    );
    let (code, table, _) = coverage(&insights, &database, 11, &[]).await;
    assert_eq!((code, counts(&table, "total")), (0, vec![3000, 3000, 0, 0, 0, 0]), "{table}");

    // Field by field, but for those that only one kind carries.
    let both = SUMMARY_FIELDS
        .iter()
        .filter(|field| !matches!(field.provenance, Provenance::Events | Provenance::Rest));
    let columns: Vec<&str> = both.map(|field| field.column).collect();
    assert!(columns.len() > 50, "a comparison of {} columns", columns.len());
    let rows = format!(
        "SELECT call_sid, event_rank, edges, {} FROM call_summaries ORDER BY call_sid COLLATE \"C\"",
        columns.join(", ")
    );
    let all = |database: &Database| {
        let rows = format!("SELECT json_agg(row) AS rows FROM ({rows}) AS row");
        let url = database.url().to_owned();
        async move { Database::at(&url).json(&rows).await["rows"].clone() }
    };
    let (healed, expected) = (all(&database).await, all(&whole).await);
    let (healed, expected) = (healed.as_array().expect("rows"), expected.as_array().expect("rows"));
    assert_eq!((healed.len(), expected.len()), (3000, 3000));
    for (healed, expected) in healed.iter().zip(expected) {
        assert_eq!(healed, expected);
    }
    assert_eq!(
        database.value::<String>(others).await,
        untouched,
        "rows that were right are as they were"
    );
    assert_eq!(database.count("call_summaries WHERE summary_source = 'rest'").await, 1000);
}

#[tokio::test]
async fn rows_still_partial_after_45_minutes_are_holes_and_are_made_complete() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    let items = calls(hour(3), 1, 20);
    insights.state().calls.clone_from(&items);
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::new(&database, data.path()).start().await;
    let told: Vec<_> = items
        .iter()
        .enumerate()
        .map(|(index, item)| made_up::event(item, if index < 5 { "partial" } else { "complete" }))
        .collect();
    assert_eq!(service.deliver_events(&told).await, 200);
    service.drained().await;
    let (code, table, _) = coverage(&insights, &database, 3, &[]).await;
    assert_eq!((code, counts(&table, "total")), (1, vec![20, 20, 0, 5, 0, 5]), "{table}");
    let (code, table, _) = coverage(&insights, &database, 3, &["--heal"]).await;
    assert_eq!((code, counts(&table, "total")), (0, vec![20, 20, 0, 5, 5, 0]), "{table}");
    let mended = "call_summaries WHERE summary_source = 'rest' AND event_rank = 3 AND parent_call_sid IS NOT NULL \
        AND event_type LIKE '%.partial' AND other_payload IS NOT NULL";
    assert_eq!(database.count(mended).await, 5, "what only the event carried stays");
}

#[tokio::test]
async fn calls_that_ended_a_moment_ago_are_no_holes() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    let now = Utc::now();
    insights.state().calls = vec![made_up::item(ACCOUNT, 1, now - TimeDelta::minutes(10))];
    let database = Database::migrated().await;
    let (code, table, _) = run(command(
        &insights,
        &database,
        &["coverage", "--since", "1h", "--until", "0s", "--heal"],
    ))
    .await;
    assert_eq!((code, counts(&table, "total")), (0, vec![0, 0, 0, 0, 0, 0]), "{table}");
    assert_eq!(database.count("call_summaries").await, 0);
}

#[tokio::test]
async fn busy_slow_and_failing_answers_are_waited_out() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    insights.state().calls = calls(hour(3), 1, 250);
    insights.state().page_size = 100;
    insights.state().faults.extend([
        Fault::Status(429, Some(1)),
        Fault::Slow(Duration::from_millis(300)),
        Fault::Status(429, None),
        Fault::Cut,
        Fault::Status(503, None),
    ]);
    let database = Database::migrated().await;
    let (code, out, err) = backfill(&insights, &database, 3, &[]).await;
    assert_eq!(
        (code, out.trim()),
        (0, "1 windows read, 250 calls listed, inserted 250, improved 0, refused 0"),
        "{err}"
    );
    assert!(!err.contains("+1555"), "what Twilio says may quote a number: {err}");
    assert!(insights.state().faults.is_empty());
}

#[tokio::test]
async fn a_401_says_what_it_may_mean_and_of_several_tokens_one_is_enough() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    insights.state().calls = calls(hour(3), 1, 3);
    let database = Database::migrated().await;
    let since = text(hour(3));
    let arguments = ["backfill", "--since", &since];
    let mut wrong = command(&insights, &database, &arguments);
    wrong.env("TWILIO_AUTH_TOKEN", "wrong");
    let (code, _, err) = run(wrong).await;
    assert!(code == 1 && err.contains("Advanced Features") && err.contains("credentials"), "{err}");
    assert!(!err.contains("wrong:"), "{err}");
    insights.state().without_features = true;
    let (code, _, err) = backfill(&insights, &database, 3, &[]).await;
    assert!(code == 1 && err.contains("Advanced Features"), "{err}");
    assert_eq!(database.count("callsink.backfill_windows WHERE state = 'done'").await, 0);
    insights.state().without_features = false;
    let mut rotating = command(&insights, &database, &arguments);
    rotating.env("TWILIO_AUTH_TOKEN", format!("old,{TOKEN}"));
    assert_eq!(run(rotating).await.0, 0);
    assert_eq!(database.count("call_summaries").await, 3);
}

#[tokio::test]
async fn a_list_that_changes_between_its_pages_loses_no_call() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    insights.state().calls = calls(hour(3), 1, 250);
    insights.state().page_size = 100;
    // A call of the middle of the hour appears before the second page: one of the first page is listed again.
    insights.state().happening = Some(Box::new(|page, calls| {
        if page == 2 {
            calls.push(made_up::item(ACCOUNT, 9000, hour(3) + TimeDelta::minutes(59)));
        }
    }));
    let database = Database::migrated().await;
    let (code, out, err) = backfill(&insights, &database, 3, &[]).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("251 calls listed, inserted 251"), "{out}");
    insights.state().happening = None;
    insights.state().most = 200; // a limit of which Twilio says nothing: 200 divides by no round number
    insights.state().calls = calls(hour(3), 1, 2500);
    insights.state().most = 1000;
    let (_, out, _) = backfill(&insights, &database, 3, &["--again"]).await;
    assert!(out.contains("2500 calls listed"), "a suspiciously round total is halved: {out}");
}

#[tokio::test]
async fn a_backfill_that_is_killed_goes_on_with_the_window_where_it_was() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    insights.state().calls = calls(hour(6), 4, 1200);
    insights.state().page_size = 100;
    // Slow enough to be killed in the middle of the second window.
    insights.state().happening = Some(Box::new(|page, _| {
        if page > 4 {
            std::thread::sleep(Duration::from_millis(200));
        }
    }));
    let database = Database::migrated().await;
    let (since, until) = (text(hour(6)), text(hour(2)));
    let mut child =
        command(&insights, &database, &["backfill", "--since", &since, "--until", &until])
            .spawn()
            .expect("runs");
    eventually("it is in the second window", || async {
        database.count("callsink.backfill_windows WHERE state = 'done'").await == 1
            && database.count("call_summaries").await > 320
    })
    .await;
    child.kill().expect("killed");
    child.wait().expect("gone");
    let half: i64 = database.count("call_summaries").await;
    assert!((321..1200).contains(&half), "{half}");
    insights.state().happening = None;
    let (code, out, err) = backfill(&insights, &database, 6, &[]).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("3 windows read"), "{out}");
    assert_eq!(database.count("call_summaries WHERE event_rank = 3").await, 1200);
    assert_eq!(database.count("callsink.backfill_windows WHERE state = 'done'").await, 4);
}

#[tokio::test]
async fn what_can_t_be_read_or_stored_is_counted_and_its_neighbours_go_in() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    let mut items = calls(hour(3), 1, 40);
    items[7].as_object_mut().expect("an object").remove("call_sid");
    insights.state().calls = items;
    let database = Database::migrated().await;
    database.execute("ALTER TABLE call_summaries ADD CHECK (pdd_ms <> 110)").await;
    let (code, out, err) = backfill(&insights, &database, 3, &[]).await;
    assert_eq!(code, 1);
    assert_eq!(
        out.trim(),
        "1 windows read, 39 calls listed, inserted 38, improved 0, refused 2",
        "{err}"
    );
    let (_, out, _) = backfill(&insights, &database, 3, &[]).await;
    assert!(out.starts_with("1 windows read"), "a window with refusals is read again: {out}");
}

#[tokio::test]
async fn subaccounts_are_asked_for_by_name_and_what_is_beyond_30_days_is_said() {
    let sub = "AC00000000000000000000000000000002";
    let insights = Insights::start(ACCOUNT, TOKEN);
    insights.state().calls = calls(hour(3), 1, 4);
    insights.state().calls.push(made_up::item(sub, 99, hour(3)));
    let database = Database::migrated().await;
    let since = text(hour(3));
    let mut both = command(&insights, &database, &["coverage", "--since", &since, "--heal"]);
    both.env("TWILIO_ACCOUNT_SID", format!("{ACCOUNT},{sub}"));
    let (code, table, err) = run(both).await;
    assert_eq!(code, 0, "{err}");
    assert_eq!(counts(&table, "total"), [5, 0, 5, 0, 5, 0], "{table}");
    let accounts = "SELECT count(DISTINCT account_sid) FROM coverage WHERE listed > 0";
    assert_eq!(database.value::<i64>(accounts).await, 2);
    let too_old = ["backfill", "--since", "40d", "--until", "35d"];
    let (code, _, err) = run(command(&insights, &database, &too_old)).await;
    assert!(code == 1 && err.contains("30 days"), "{err}");
    insights.state().calls.clear();
    let (code, out, err) =
        run(command(&insights, &database, &["backfill", "--since", "31d", "--until", "29d"])).await;
    assert!(
        code == 0 && err.contains("can't be read any more") && out.starts_with("25 windows"),
        "{out}{err}"
    );
}

#[tokio::test]
async fn a_call_that_was_erased_is_no_hole_and_does_not_come_back() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    let items = calls(hour(3), 1, 3);
    insights.state().calls.clone_from(&items);
    let database = Database::migrated().await;
    assert_eq!(backfill(&insights, &database, 3, &[]).await.0, 0);
    let sid = |index: usize| items[index]["call_sid"].as_str().expect("a SID").to_owned();
    for (call, how) in [(sid(0), vec!["--delete"]), (sid(1), vec![])] {
        let arguments = [vec!["erase", "--yes", "--call", &call], how].concat();
        let (code, _, err) = run(command(&insights, &database, &arguments)).await;
        assert_eq!(code, 0, "{err}");
    }
    let (code, table, _) = coverage(&insights, &database, 3, &["--heal"]).await;
    assert_eq!((code, counts(&table, "total")), (0, vec![3, 3, 0, 0, 0, 0]), "{table}");
    let (_, out, _) = backfill(&insights, &database, 3, &["--again"]).await;
    assert!(out.contains("inserted 0"), "{out}");
    assert_eq!(database.count("call_summaries").await, 2);
    let known =
        format!("call_summaries WHERE from_caller IS NOT NULL AND call_sid <> '{}'", sid(2));
    assert_eq!(database.count(&known).await, 0, "what was redacted stays so");
}

#[tokio::test]
async fn coverage_can_be_read_by_the_reader_role() {
    let database = Database::migrated().await;
    let may = "SELECT has_table_privilege('callsink_reader', 'public.coverage', 'SELECT')";
    assert!(database.value::<bool>(may).await);
}
