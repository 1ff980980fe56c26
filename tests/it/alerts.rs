//! The alerts speak of metrics that exist, and each has a paragraph of the runbook and a test.
//!
//! That they fire on their trouble, and not on a quiet day, is tested by `promtool` (deploy/prometheus/tests.yml).

use callsink::telemetry::metric::Metrics;
use std::collections::BTreeSet;

const RULES: &str = include_str!("../../deploy/prometheus/callsink-rules.yml");
const TESTS: &str = include_str!("../../deploy/prometheus/tests.yml");
const RUNBOOK: &str = include_str!("../../docs/runbook.md");

/// Words that begin with `prefix`.
fn words<'t>(text: &'t str, prefix: &str) -> BTreeSet<&'t str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with(prefix))
        .collect()
}

#[test]
fn every_metric_of_an_alert_is_on_the_page_of_metrics() {
    let page = Metrics::new().render();
    let on_page = words(&page, "callsink_");
    let rules: String = RULES.lines().filter(|line| line.contains("expr:")).collect();
    let used = words(&rules, "callsink_");
    assert!(used.len() > 8, "only {used:?}: the search has lost its way");
    for metric in used {
        assert!(on_page.contains(metric), "no metric is called {metric}");
    }
}

#[test]
fn every_alert_has_a_test_that_it_fires_and_a_paragraph_of_the_runbook() {
    let alerts = RULES.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let alerts: Vec<&str> = alerts.collect();
    assert!(alerts.len() > 8, "only {alerts:?}: the search has lost its way");
    for alert in alerts {
        assert!(RUNBOOK.contains(&format!("\n## {alert}\n\n")), "{alert} is not in the runbook");
        let link = format!("runbook_url: docs/runbook.md#{}\n", alert.to_lowercase());
        assert!(RULES.contains(&link), "{alert} does not link its paragraph");
        assert!(TESTS.contains(&format!("        alertname: {alert}\n")), "{alert} has no test");
    }
}
