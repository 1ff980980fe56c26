//! Every metric: name, unit, labels, and why one would look at it.
//!
//! Names: `callsink_`, noun, unit, `_total` for counters. Labels have few values, all known here.
//! The recorder is a value and not global, so that two services in one process don't mix.

use crate::decode::Reason;
use crate::verify::Rejection;
use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::collections::HashMap;

/// Reason words of dead letters beside those of [`Reason`].
pub const REFUSED: &str = "refused_by_database";
/// See [`REFUSED`].
pub const SANITISED: &str = "sanitised";

/// Tables that retention deletes from.
const AGING_TABLES: [&str; 4] = ["call_summaries", "events", "dead_letters", "archive"];

/// Why a delivery was answered 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unavailable {
    /// Token or public URL are not set yet.
    Unconfigured,
    /// The journal is at its limit.
    JournalFull,
    /// The disk refused, or failed.
    JournalDisk,
    /// The journal took longer than Twilio waits.
    JournalSlow,
    /// The service is stopping.
    Stopping,
    /// Signed, but by GET: a sink with the wrong method, whose events can't be read.
    GetSink,
}

impl Unavailable {
    const ALL: [Self; 6] = [
        Self::Unconfigured,
        Self::JournalFull,
        Self::JournalDisk,
        Self::JournalSlow,
        Self::Stopping,
        Self::GetSink,
    ];

    /// The label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unconfigured => "unconfigured",
            Self::JournalFull => "journal_full",
            Self::JournalDisk => "journal_disk",
            Self::JournalSlow => "journal_slow",
            Self::Stopping => "stopping",
            Self::GetSink => "get_sink",
        }
    }
}

pub(crate) const REASONS: [Reason; 6] = [
    Reason::NotJson,
    Reason::NotAnObject,
    Reason::NoType,
    Reason::NoData,
    Reason::DataNotAnObject,
    Reason::NoCallSid,
];

/// Handles to all metrics, and the page that shows them.
#[allow(
    missing_docs,
    reason = "each is described where it is registered, in the words of the page"
)]
pub struct Metrics {
    handle: PrometheusHandle,
    pub deliveries_accepted: Counter,
    pub events_accepted: Counter,
    pub delivery_bytes: Counter,
    pub deliveries_rejected: HashMap<Rejection, Counter>,
    pub deliveries_unavailable: HashMap<Unavailable, Counter>,
    pub deliveries_refused: HashMap<u16, Counter>,
    pub journal_depth: Gauge,
    pub journal_bytes: Gauge,
    pub journal_max_bytes: Gauge,
    pub journal_oldest_age: Gauge,
    pub queue_depth: Gauge,
    pub batch_events: Histogram,
    pub batch_duration: Histogram,
    pub outcome_applied: Counter,
    pub outcome_reduced: Counter,
    pub outcome_stale: Counter,
    pub outcome_raw: Counter,
    pub outcome_dead: Counter,
    pub dead_letters: HashMap<&'static str, Counter>,
    pub unreadable_fields: Counter,
    pub unknown_fields: Counter,
    pub kpi_hours_refreshed: Counter,
    pub kpi_refresh_duration: Histogram,
    pub overdue_partial_calls: Gauge,
    pub retention_deleted: HashMap<&'static str, Counter>,
    pub event_to_row: Histogram,
    pub received_to_row: Histogram,
    pub store_retries: Counter,
    pub database_up: Gauge,
    pub journals_moved_aside: Counter,
    pub reconcile_missing: Gauge,
    pub reconcile_healed: Counter,
    pub reconcile_failures: Counter,
    pub reconcile_last_success: Gauge,
    pub journal_salvaged: Counter,
    pub journal_unreadable: Counter,
}

impl Metrics {
    /// Registers everything, so that each metric is on the page before it first counts.
    ///
    /// # Panics
    /// Never: the buckets below are not empty.
    #[must_use]
    pub fn new() -> Self {
        let seconds = [
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
            60.0, 300.0, 900.0, 3600.0, 14_400.0,
        ];
        let counts = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 5000.0];
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &seconds)
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Suffix("_batch_events".to_owned()), &counts)
            })
            .expect("the buckets are not empty")
            .build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || Self::register(handle))
    }

    fn register(handle: PrometheusHandle) -> Self {
        describe();
        let by = |name: &'static str, label: &'static str, value: &'static str| counter!(name, label => value);
        let outcome = |word| by("callsink_apply_outcomes_total", "outcome", word);
        let dead_words = REASONS.iter().map(|reason| reason.as_str()).chain([REFUSED, SANITISED]);
        gauge!("callsink_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Self {
            handle,
            deliveries_accepted: counter!("callsink_deliveries_accepted_total"),
            events_accepted: counter!("callsink_events_accepted_total"),
            delivery_bytes: counter!("callsink_deliveries_accepted_bytes_total"),
            deliveries_rejected: Rejection::ALL
                .into_iter()
                .map(|reason| {
                    (reason, by("callsink_deliveries_rejected_total", "reason", reason.as_str()))
                })
                .collect(),
            deliveries_unavailable: Unavailable::ALL
                .into_iter()
                .map(|reason| {
                    (reason, by("callsink_deliveries_unavailable_total", "reason", reason.as_str()))
                })
                .collect(),
            deliveries_refused: [
                (400, "400"),
                (404, "404"),
                (405, "405"),
                (408, "408"),
                (413, "413"),
            ]
            .into_iter()
            .map(|(code, word)| (code, by("callsink_deliveries_refused_total", "status", word)))
            .collect(),
            journal_depth: gauge!("callsink_journal_depth_events"),
            journal_bytes: gauge!("callsink_journal_bytes"),
            journal_max_bytes: gauge!("callsink_journal_max_bytes"),
            journal_oldest_age: gauge!("callsink_journal_oldest_age_seconds"),
            queue_depth: gauge!("callsink_queue_depth_events"),
            batch_events: histogram!("callsink_apply_batch_events"),
            batch_duration: histogram!("callsink_apply_batch_duration_seconds"),
            outcome_applied: outcome("applied"),
            outcome_reduced: outcome("reduced"),
            outcome_stale: outcome("stale"),
            outcome_raw: outcome("stored_raw"),
            outcome_dead: outcome("dead_letter"),
            dead_letters: dead_words
                .map(|word| (word, by("callsink_dead_letters_total", "reason", word)))
                .collect(),
            unreadable_fields: counter!("callsink_unreadable_fields_total"),
            unknown_fields: counter!("callsink_unknown_fields_total"),
            kpi_hours_refreshed: counter!("callsink_kpi_hours_refreshed_total"),
            kpi_refresh_duration: histogram!("callsink_kpi_refresh_duration_seconds"),
            overdue_partial_calls: gauge!("callsink_overdue_partial_calls"),
            retention_deleted: AGING_TABLES
                .into_iter()
                .map(|table| (table, by("callsink_retention_deleted_total", "table", table)))
                .collect(),
            event_to_row: histogram!("callsink_event_to_row_seconds"),
            received_to_row: histogram!("callsink_received_to_row_seconds"),
            store_retries: counter!("callsink_store_retries_total"),
            database_up: gauge!("callsink_database_up"),
            journals_moved_aside: counter!("callsink_journals_moved_aside_total"),
            reconcile_missing: gauge!("callsink_reconcile_missing_calls"),
            reconcile_healed: counter!("callsink_reconcile_healed_calls_total"),
            reconcile_failures: counter!("callsink_reconcile_failures_total"),
            reconcile_last_success: gauge!("callsink_reconcile_last_success_timestamp_seconds"),
            journal_salvaged: counter!("callsink_journal_salvaged_events_total"),
            journal_unreadable: counter!("callsink_journal_unreadable_events_total"),
        }
    }

    /// The page in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Metrics")
    }
}

fn describe() {
    describe_gauge!("callsink_build_info", "The version that runs, as a label; always 1");
    describe_counter!(
        "callsink_deliveries_accepted_total",
        "Deliveries answered 200: durable, whatever they held"
    );
    describe_counter!(
        "callsink_events_accepted_total",
        "Events in accepted deliveries; the rate at which Twilio sends"
    );
    describe_counter!("callsink_deliveries_accepted_bytes_total", "Bytes of accepted bodies");
    describe_counter!(
        "callsink_deliveries_rejected_total",
        "Deliveries that are not Twilio's, by the step that failed; more than a few mean a wrong token or public URL"
    );
    describe_counter!(
        "callsink_deliveries_unavailable_total",
        "Deliveries answered 503 by reason; Twilio tries them again for four hours"
    );
    describe_counter!(
        "callsink_deliveries_refused_total",
        "Requests refused by status before any check of the signature; not from Twilio, if the sink's URL is right"
    );
    describe_gauge!(
        "callsink_journal_depth_events",
        "Acknowledged events that PostgreSQL does not have yet"
    );
    describe_gauge!("callsink_journal_bytes", "Bytes of the journal in use");
    describe_gauge!(
        "callsink_journal_max_bytes",
        "Size of the journal at which deliveries are answered 503"
    );
    describe_gauge!(
        "callsink_journal_oldest_age_seconds",
        "Age of the oldest event that PostgreSQL does not have yet; grows while it is away"
    );
    describe_gauge!("callsink_queue_depth_events", "Events in memory between journal and workers");
    describe_histogram!("callsink_apply_batch_events", "Events per batch");
    describe_histogram!(
        "callsink_apply_batch_duration_seconds",
        "Time to store a batch, retries included"
    );
    describe_counter!(
        "callsink_apply_outcomes_total",
        "How events ended: applied (won its row), reduced (beaten within its batch), stale (its row was newer, or had it), stored_raw (other types), dead_letter"
    );
    describe_counter!(
        "callsink_dead_letters_total",
        "Events kept in callsink.dead_letters, by reason; each is worth a look"
    );
    describe_counter!(
        "callsink_unreadable_fields_total",
        "Documented fields whose value was not of the documented kind: Twilio may have changed something"
    );
    describe_counter!(
        "callsink_unknown_fields_total",
        "Fields that no column holds and that were never seen before; see callsink.unknown_fields"
    );
    describe_counter!(
        "callsink_retention_deleted_total",
        "Rows deleted because they were older than the setting of their table; of the archive about, as it is dropped by day"
    );
    describe_histogram!(
        "callsink_event_to_row_seconds",
        "From Twilio's time of an event to its row"
    );
    describe_histogram!(
        "callsink_received_to_row_seconds",
        "From the receipt of an event to its row"
    );
    describe_counter!(
        "callsink_store_retries_total",
        "Batches that had to wait because PostgreSQL was away or busy"
    );
    describe_gauge!("callsink_database_up", "Whether the last statement reached PostgreSQL");
    describe_counter!(
        "callsink_journals_moved_aside_total",
        "Damaged journal files moved aside at start"
    );
    describe_counter!(
        "callsink_kpi_hours_refreshed_total",
        "Hours whose key figures this replica has computed anew"
    );
    describe_histogram!(
        "callsink_kpi_refresh_duration_seconds",
        "Time to bring the key figures up to date, where there was anything to do"
    );
    describe_gauge!(
        "callsink_overdue_partial_calls",
        "Calls that started four hours to three days ago and are still partial: their complete summary never came"
    );
    describe_gauge!(
        "callsink_reconcile_missing_calls",
        "Calls that Twilio lists and that are missing or not complete here, after this replica's last reconciliation"
    );
    describe_counter!(
        "callsink_reconcile_healed_calls_total",
        "Calls that reconciliations of this replica have put right from the REST API"
    );
    describe_counter!(
        "callsink_reconcile_failures_total",
        "Reconciliations that did not reach their end; events are not touched by it"
    );
    describe_gauge!(
        "callsink_reconcile_last_success_timestamp_seconds",
        "When the last reconciliation of this replica that reached its end began; 0: none has"
    );
    describe_counter!(
        "callsink_journal_salvaged_events_total",
        "Events taken over from a damaged journal file at start"
    );
    describe_counter!(
        "callsink_journal_unreadable_events_total",
        "Events in a damaged journal file that could not be read, as far as their number is known"
    );
}
