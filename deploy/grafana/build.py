#!/usr/bin/env python3
"""Builds deploy/grafana/dashboards/*.json. Change this file and kit.py, never the JSON.

    python3 -m venv /tmp/grafana && /tmp/grafana/bin/pip install 'grafana-foundation-sdk==1769699379!11.6.0'
    /tmp/grafana/bin/python deploy/grafana/build.py

Every query runs in the tests (tests/it/bi/grafana.rs) as callsink_reader.
"""

from kit import board, choice, course, figure, ranking, row, rows, thresholds, typed, write

SELECTED = """$__timeFilter(hour)
  AND coalesce(account_sid, '(none)') IN (${account:sqlstring})
  AND coalesce(country_code, '(none)') IN (${country:sqlstring})
  AND coalesce(carrier, '(none)') IN (${carrier:sqlstring})"""
CALLS = f"""FROM kpi_calls_hourly
WHERE {SELECTED}
  AND coalesce(direction, '(none)') IN (${{direction:sqlstring}})"""
# Directions of media are another thing than directions of calls, so that variable is not asked here.
EDGES = f"FROM kpi_edges_hourly\nWHERE {SELECTED}"
FAILURES = CALLS.replace("kpi_calls_hourly", "kpi_failures_hourly")
# Figures of the span as a whole: its whole days are one row each, which is a fifteenth of the rows over thirty days.
SPAN = SELECTED.replace("$__timeFilter(hour)\n  AND ", "")
TOTAL = f"""FROM kpi_calls_between($__timeFrom(), $__timeTo())
WHERE {SPAN}
  AND coalesce(direction, '(none)') IN (${{direction:sqlstring}})"""
EDGE_TOTAL = f"FROM kpi_edges_between($__timeFrom(), $__timeTo())\nWHERE {SPAN}"
FAILURE_TOTAL = TOTAL.replace("kpi_calls_between", "kpi_failures_between")
SINGLE = """FROM calls
WHERE $__timeFilter(start_time)
  AND coalesce(account_sid, '(none)') IN (${account:sqlstring})
  AND coalesce(direction, '(none)') IN (${direction:sqlstring})
  AND coalesce(country_code, '(none)') IN (${country:sqlstring})
  AND coalesce(carrier, '(none)') IN (${carrier:sqlstring})"""

# As Grafana's $__timeGroup, which works in numerics, a quarter of the time of a panel.
def binned(column):
    return f"date_bin('$__interval', {column}, 'epoch') AS time"


TIME = binned("hour")
# The same span of time just before.
BEFORE = SELECTED.replace(
    "$__timeFilter(hour)",
    "hour >= $__timeFrom()::timestamptz - ($__timeTo()::timestamptz - $__timeFrom()::timestamptz) AND hour < $__timeTo()::timestamptz",
)
ROLLUP = "Source: kpi_calls_hourly, by the hour in which calls started; up to a minute behind."
EDGE_ROLLUP = "Source: kpi_edges_hourly. The variable direction does not apply: media have directions of their own."
OFF = "Percentiles are off by 7.3 percent at most."
MEDIA = "edge || CASE direction WHEN 'inbound' THEN ', received' ELSE ', sent' END"


def per(top, bottom):
    return f"100.0 * sum({top}) / nullif(sum({bottom}), 0)"


def quantile(histogram, share, function="histogram_quantile"):
    return f"{function}(histogram_sum({histogram}_histogram), {share})"


def grouped(*series, source=CALLS):
    """Several expressions over time, each a series of its own."""
    values = ", ".join(f"{value} AS v{n}" for n, (_, value) in enumerate(series))
    names = ", ".join(f"('{name}', v{n}::double precision)" for n, (name, _) in enumerate(series))
    return f"""SELECT time, metric, value FROM (
  SELECT {TIME}, {values}
  {source}
  GROUP BY 1
) AS grouped
CROSS JOIN LATERAL (VALUES {names}) AS series (metric, value)
WHERE value IS NOT NULL
ORDER BY 1"""


def split(by, value, source, having=""):
    return f"""SELECT {TIME}, {by} AS metric, {value} AS value
{source}
GROUP BY 1, 2{having}
ORDER BY 1"""


def variables(built):
    def values(column):
        return f"SELECT DISTINCT coalesce({column}, '(none)') FROM kpi_calls_between($__timeFrom(), $__timeTo()) ORDER BY 1"

    return (
        built.with_variable(choice("account", "Account", values("account_sid"), "Accounts and subaccounts of the calls."))
        .with_variable(choice("direction", "Direction", values("direction"), "Direction of the call, in Twilio's word."))
        .with_variable(choice("country", "Country", values("country_code"), "Country of the other party."))
        .with_variable(choice("carrier", "Carrier", values("carrier"), "Carrier of the other party."))
    )


def quality():
    built = variables(board(
        "callsink-quality", "Call quality",
        "Connection, delay, media quality and failures of calls, from the key figures that callsink keeps. Definitions: docs/schema.md.",
        "now-7d", "5m"))

    built.with_row(row("At a glance"))
    built.with_panel(figure("Calls", f"SELECT coalesce(sum(calls), 0)::bigint AS calls {TOTAL}", f"All calls that started in the span. {ROLLUP}", "short"))
    built.with_panel(figure("Answered (ASR)", f"SELECT {per('answered', 'attempts')} AS asr {TOTAL}",
        f"Answer-seizure ratio: answered / attempts; attempts were dialled and are over. ITU-T E.411. {ROLLUP}", "percent", decimals=1))
    built.with_panel(figure("Delivered (NER)", f"SELECT {per('delivered', 'attempts')} AS ner {TOTAL}",
        f"Network effectiveness ratio: attempts that the network delivered, whatever the callee did, / attempts. ITU-T E.425; which SIP responses count is ours. {ROLLUP}",
        "percent", thresholds("red", (90, "orange"), (95, "green")), 1))
    built.with_panel(figure("Average length (ACD)", f"SELECT sum(connect_seconds)::double precision / nullif(sum(answered), 0) AS acd {TOTAL}",
        f"Seconds from answer to end, answered calls only. ITU-T E.411. {ROLLUP}", "s", decimals=0))
    built.with_panel(figure("Post-dial delay, p95", f"SELECT {quantile('pdd', 0.95)} AS pdd {TOTAL}",
        f"INVITE to ringing, of calls where it was measured. {OFF} {ROLLUP}", "ms", decimals=0))
    built.with_panel(figure("With a quality tag", f"SELECT {per('tagged', 'calls')} AS tagged {TOTAL}",
        f"Share of calls with at least one of Twilio's tags (silence, high_jitter, high_packet_loss, high_pdd, low_mos, ...). {ROLLUP}",
        "percent", thresholds("green", (10, "orange"), (20, "red")), 1))
    built.with_panel(figure("MOS of the SDK", f"SELECT sum(mos_sum) / nullif(sum(mos_measured), 0) AS mos {EDGE_TOTAL}",
        f"Mean of Twilio's MOS, which exists for the Voice SDK only; below 3.5 Twilio tags low_mos. {EDGE_ROLLUP}",
        "none", thresholds("red", (3.5, "orange"), (4, "green")), 2))
    built.with_panel(figure("Short calls", f"SELECT {per('short_calls', 'short_candidates')} AS short {TOTAL}",
        f"Completed outbound calls to the telephone network under 10 s / all of these. Over 15 percent numbers lose trust (Twilio's Reports API). {ROLLUP}",
        "percent", thresholds("green", (10, "orange"), (15, "red")), 1))

    built.with_row(row("Connection"))
    outcomes = [("answered", "sum(answered)"), ("busy", "sum(busy)"), ("no answer", "sum(no_answer)"), ("canceled", "sum(canceled)"), ("failed", "sum(failed)")]
    built.with_panel(course("Attempts by outcome", grouped(*outcomes), f"How dialled calls ended. {ROLLUP}", "short", stacked=True, bars=True))
    built.with_panel(course("ASR and NER", grouped(("ASR", per("answered", "attempts")), ("NER", per("delivered", "attempts"))),
        f"ASR falls when callees don't answer; NER falls when the network doesn't deliver. {ROLLUP}", "percent", thresholds("red", (95, "green"))))
    built.with_panel(course("Calls, and a week before", f"""SELECT {TIME}, 'this' AS metric, sum(calls)::bigint AS value {CALLS} GROUP BY 1
UNION ALL
SELECT {binned("hour + interval '7 days'")}, 'a week before', sum(calls)::bigint
{CALLS.replace("$__timeFilter(hour)", "hour + interval '7 days' BETWEEN $__timeFrom() AND $__timeTo()")}
GROUP BY 1 ORDER BY 1""", f"Calls against the same time a week before. {ROLLUP}", "short"))
    built.with_panel(rows("Where ASR and NER changed most", f"""WITH spans AS (
  SELECT country_code, carrier, hour < $__timeFrom()::timestamptz AS before, sum(attempts) AS attempts, {per('answered', 'attempts')} AS asr, {per('delivered', 'attempts')} AS ner
  FROM kpi_calls_hourly
  WHERE {BEFORE}
    AND coalesce(direction, '(none)') IN (${{direction:sqlstring}})
  GROUP BY 1, 2, 3
)
SELECT coalesce(now.country_code, '(none)') AS country, coalesce(now.carrier, '(none)') AS carrier, now.attempts,
  now.asr AS "ASR", now.asr - was.asr AS "ASR change", now.ner AS "NER", now.ner - was.ner AS "NER change"
FROM spans AS now JOIN spans AS was ON was.before AND NOT now.before
  AND now.country_code IS NOT DISTINCT FROM was.country_code AND now.carrier IS NOT DISTINCT FROM was.carrier
WHERE now.attempts >= 20 AND was.attempts >= 20
ORDER BY now.ner - was.ner LIMIT 20""",
        f"This span against the one of equal length before it, where both have 20 attempts; the greatest loss of NER first. Points, not percent. {ROLLUP}",
        {"ASR": "percent", "NER": "percent", "ASR change": "percent", "NER change": "percent"},
        {"ASR change": ("red", (-5, "orange"), (0, "green")), "NER change": ("red", (-5, "orange"), (0, "green"))},
        width=16, empty="No country and carrier with 20 attempts in this span and in the one before"))
    built.with_panel(course("Length of answered calls", grouped(("median", quantile("connect", 0.5)), ("p90", quantile("connect", 0.9)),
        ("mean (ACD)", "sum(connect_seconds)::double precision / nullif(sum(answered), 0)")), f"Seconds from answer to end. {OFF} {ROLLUP}", "s", height=9))

    built.with_row(row("Delay, endings, trust"))
    built.with_panel(course("Post-dial delay", grouped(*[(f"p{int(q * 100)}", quantile("pdd", q)) for q in (0.5, 0.9, 0.95, 0.99)]),
        f"INVITE to ringing, of calls where it was measured. {OFF} {ROLLUP}", "ms"))
    built.with_panel(rows("Post-dial delay by country and carrier", f"""SELECT coalesce(country_code, '(none)') AS country, coalesce(carrier, '(none)') AS carrier,
  histogram_count(histogram_sum(pdd_histogram)) AS measured, {quantile('pdd', 0.5)} AS p50, {quantile('pdd', 0.95)} AS p95, {quantile('pdd', 0.99)} AS p99
{TOTAL}
GROUP BY 1, 2 HAVING histogram_count(histogram_sum(pdd_histogram)) >= 10 ORDER BY p95 DESC LIMIT 50""",
        f"The slowest first, of those with 10 measured calls. {OFF} {ROLLUP}", {"p50": "ms", "p95": "ms", "p99": "ms"}, width=8, height=8))
    built.with_panel(course("Queue before dialling, p95", grouped(("p95", quantile("queue", 0.95))),
        f"Milliseconds between creation and dialling; hundreds and more mean that calls per second limit you. {OFF} {ROLLUP}", "ms"))
    built.with_panel(course("Who hung up", grouped(("caller", "sum(hung_up_by_caller)"), ("callee", "sum(hung_up_by_callee)"),
        ("not known", "sum(answered) - sum(hung_up_by_caller) - sum(hung_up_by_callee)")), f"Answered calls by who ended them. {ROLLUP}", "short", stacked=True, bars=True))
    built.with_panel(course("Answered, attestation A or not", grouped(("attestation A", per("verified_answered", "verified_attempts")),
        ("other", "100.0 * (sum(answered) - sum(verified_answered)) / nullif(sum(attempts) - sum(verified_attempts), 0)")),
        f"ASR of calls whose caller was verified by SHAKEN/STIR with attestation A, and of all others. {ROLLUP}", "percent"))
    built.with_panel(course("Calls at once, last day of the span", f"""WITH answered AS (
  SELECT start_time, end_time {SINGLE.replace("$__timeFilter(start_time)", "start_time BETWEEN $__timeTo()::timestamptz - interval '25 hours' AND $__timeTo()::timestamptz")}
    AND answered AND end_time IS NOT NULL)
SELECT time, metric, value FROM (
  SELECT date_bin('5 minutes', at, $__timeFrom()::timestamptz) + interval '5 minutes' AS time, 'calls at once' AS metric,
    sum(sum(change)) OVER (ORDER BY date_bin('5 minutes', at, $__timeFrom()::timestamptz))::bigint AS value
  FROM answered CROSS JOIN LATERAL (VALUES (start_time, 1), (end_time, -1)) AS changes (at, change)
  GROUP BY date_bin('5 minutes', at, $__timeFrom()::timestamptz)
) AS counted
WHERE time BETWEEN greatest($__timeFrom()::timestamptz, $__timeTo()::timestamptz - interval '1 day') AND $__timeTo()::timestamptz
ORDER BY 1""", "Answered calls in progress, every five minutes, of the last 24 hours of the span: single calls are read, so not of all of it. Source: calls.", "short"))

    built.with_row(row("Media"))
    measured = " HAVING sum(loss_measured) > 0"
    built.with_panel(course("Packet loss, p95", split(MEDIA, quantile("loss", 0.95), EDGES, measured),
        f"Per edge and direction of the media. Over 5 percent Twilio tags high_packet_loss. {OFF} {EDGE_ROLLUP}", "percent", thresholds("transparent", (5, "red"))))
    built.with_panel(rows("Share of calls over 1, 3, 5 percent loss", f"""SELECT {MEDIA} AS media, sum(loss_measured)::bigint AS measured,
  {per('loss_over_1_percent', 'loss_measured')} AS "over 1 %", {per('loss_over_3_percent', 'loss_measured')} AS "over 3 %", {per('loss_over_5_percent', 'loss_measured')} AS "over 5 %"
{EDGE_TOTAL}
GROUP BY 1 HAVING sum(loss_measured) > 0 ORDER BY 5 DESC NULLS LAST""", f"Each call counts once per edge and direction. {EDGE_ROLLUP}",
        {"over 1 %": "percent", "over 3 %": "percent", "over 5 %": "percent"}, {"over 5 %": ("green", (1, "orange"), (3, "red"))}, width=8, height=8))
    built.with_panel(course("Jitter, p95", split(MEDIA, quantile("jitter", 0.95), EDGES, " HAVING sum(jitter_measured) > 0"),
        f"95th percentile of a call's average jitter. Twilio tags high_jitter from 5 ms average with 30 ms maximum. {OFF} {EDGE_ROLLUP}", "ms", thresholds("transparent", (5, "orange"))))
    built.with_panel(course("MOS: Twilio's and estimated", grouped(("Twilio, SDK edge", "sum(mos_sum) / nullif(sum(mos_measured), 0)"),
        ("Twilio, worst twentieth", quantile("mos", 0.05, "mos_quantile")), ("estimated, all edges", "sum(mos_est_sum) / nullif(sum(mos_est_measured), 0)"),
        ("estimated, worst twentieth", quantile("mos_est", 0.05, "mos_quantile")), source=EDGES),
        f"Twilio says MOS for the Voice SDK only; for all edges callsink estimates one by the E-model (ITU-T G.107). Never mix the two. {EDGE_ROLLUP}", "none",
        thresholds("transparent", (3.5, "orange")), 2))
    built.with_panel(course("Round trip and latency, p95", grouped(("round trip, SDK", quantile("rtt", 0.95)), ("within Twilio", quantile("latency", 0.95)), source=EDGES),
        f"Round trip of the Voice SDK (tag from 400 ms), and time that media took within Twilio (tag from 150 ms). {OFF} {EDGE_ROLLUP}", "ms", thresholds("transparent", (150, "orange"), (400, "red"))))
    tags = ["silence", "high_jitter", "high_packet_loss", "high_pdd", "high_latency", "low_mos", "ice_failure", "pstn_short_duration"]
    built.with_panel(course("Quality tags", grouped(*[(tag, per(tag, "calls")) for tag in tags]), f"Share of calls with each tag. {ROLLUP}", "percent"))
    built.with_panel(rows("Worst carriers", f"""SELECT coalesce(country_code, '(none)') AS country, coalesce(carrier, '(none)') AS carrier, sum(legs)::bigint AS legs,
  {per('packets_lost', 'packets_received + packets_lost')} AS loss, {quantile('jitter', 0.95)} AS "jitter p95",
  sum(mos_est_sum) / nullif(sum(mos_est_measured), 0) AS "MOS est."
{EDGE_TOTAL}
  AND edge = 'carrier_edge' AND direction = 'inbound'
GROUP BY 1, 2 HAVING sum(legs) >= 10 ORDER BY loss DESC NULLS LAST LIMIT 50""",
        f"What the carrier's side sent us: carrier edge, received, at least 10 calls. Loss is weighted by packets. {EDGE_ROLLUP}",
        {"loss": "percent", "jitter p95": "ms", "MOS est.": "none"}, {"loss": ("green", (1, "orange"), (3, "red"))}, width=8))
    built.with_panel(rows("Codecs", f"""SELECT coalesce(codec_name, '(none)') AS codec, edge, sum(legs)::bigint AS legs, {quantile('loss', 0.95)} AS "loss p95",
  {quantile('jitter', 0.95)} AS "jitter p95", sum(mos_est_sum) / nullif(sum(mos_est_measured), 0) AS "MOS est."
{EDGE_TOTAL}
GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 30""", f"Quality by codec and edge. {OFF} {EDGE_ROLLUP}", {"loss p95": "percent", "jitter p95": "ms", "MOS est.": "none"}, width=8))
    built.with_panel(rows("Edge locations against countries", f"""SELECT coalesce(edge_location, '(none)') AS location, coalesce(country_code, '(none)') AS country, sum(legs)::bigint AS legs,
  {quantile('rtt', 0.95)} AS "round trip p95", {quantile('jitter', 0.95)} AS "jitter p95"
{EDGE_TOTAL}
GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 50""", f"Which Twilio locations carried calls of which countries: look for far pairs. {OFF} {EDGE_ROLLUP}",
        {"round trip p95": "ms", "jitter p95": "ms"}, width=8))

    built.with_row(row("Failures"))
    built.with_panel(rows("Why calls were not answered", f"""SELECT call_state AS outcome, last_sip_response_num AS "SIP response", nullif(q850_cause, 0) AS "Q.850 cause", sum(calls)::bigint AS calls,
  100.0 * sum(calls) / sum(sum(calls)) OVER () AS share
{FAILURE_TOTAL}
GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 50""", "Attempts that were not answered, by state, last SIP response and Q.850 cause (which Twilio says in schema version 1 only). Source: kpi_failures_hourly.",
        {"share": "percent"}, width=12))
    built.with_panel(course("Failures by SIP response", split("coalesce('SIP ' || nullif(last_sip_response_num, 0), 'no response')", "sum(calls)::bigint", f"{FAILURES}\n  AND call_state = 'fail'"),
        "Calls that failed (not busy, not unanswered), by last SIP response. Source: kpi_failures_hourly.", "short", width=12, height=9, stacked=True, bars=True))

    built.with_row(row("Single calls"))
    built.with_panel(rows("Last 100 bad calls", f"""SELECT start_time AS time, call_sid AS call, outcome, direction, coalesce(country_code, '(none)') AS country, coalesce(carrier, '(none)') AS carrier,
  array_to_string(tags, ', ') AS tags, worst_loss_percent AS loss, worst_jitter_ms AS jitter, worst_mos_est AS "MOS est.", pdd_ms AS "PDD", connect_seconds AS length, from_party AS "from", to_party AS "to"
{SINGLE}
  AND tags <> '{{}}'
ORDER BY start_time DESC LIMIT 100""", "The latest calls with any quality tag; parties are masked. The call's SID leads to everything about it. Source: calls.",
        {"loss": "percent", "jitter": "ms", "MOS est.": "none", "PDD": "ms", "length": "s"}, {"loss": ("green", (1, "orange"), (5, "red"))},
        {"call": ("All about this call", "/d/callsink-call?var-call_sid=${__value.raw}")}, width=24, height=12, empty="No call with a quality tag in this span and selection"))
    return built


def one_call():
    built = board("callsink-call", "One call", "Everything about one call: outcome, times, edges, legs.", "now-30d", "")
    built.with_variable(typed("call_sid", "Call SID", "CA..., as in the table of bad calls."))
    hint = "No such call: type its SID (CA...) above"
    one = "FROM calls WHERE call_sid = ${call_sid:sqlstring}"
    built.with_panel(rows("The call", f"""SELECT field, value FROM (SELECT to_jsonb(call) AS call FROM (SELECT * {one}) AS call) AS document
CROSS JOIN LATERAL jsonb_each_text(call) AS member (field, value)
WHERE value IS NOT NULL ORDER BY field""", "Every column of the view calls that is known; comments in the data dictionary.", width=8, height=24, empty=hint))
    built.with_panel(rows("Edges", """SELECT edge, direction, codec_name AS codec, edge_location AS location, packets_loss_percentage AS loss, jitter_avg AS jitter, jitter_max AS "jitter max",
  latency_avg AS latency, rtt_avg AS "round trip", mos_avg AS "MOS", mos_est AS "MOS est."
FROM call_edge_quality WHERE call_sid = ${call_sid:sqlstring} ORDER BY 1, 2""", "What each edge measured, per direction of the media. Bad SDK edge and good gateway edge: the agent's network. Source: call_edge_quality.",
        {"loss": "percent", "jitter": "ms", "jitter max": "ms", "latency": "ms", "round trip": "ms", "MOS": "none", "MOS est.": "none"},
        {"loss": ("green", (1, "orange"), (5, "red"))}, width=16, height=8, empty="No edge of this call has metrics, or no such call"))
    built.with_panel(rows("When we heard of it", f"""SELECT event, time, lag FROM (SELECT * {one}) AS call
CROSS JOIN LATERAL (VALUES
  ('created', created_time, NULL), ('started', start_time, NULL), ('ended', end_time, 0),
  ('first event received', first_received_time, extract(epoch FROM first_received_time - end_time)::double precision),
  ('latest partial', end_time + partial_lag_seconds * interval '1 s', partial_lag_seconds),
  ('latest predicted-complete', end_time + predicted_lag_seconds * interval '1 s', predicted_lag_seconds),
  ('latest complete', end_time + complete_lag_seconds * interval '1 s', complete_lag_seconds),
  ('last event received', last_received_time, extract(epoch FROM last_received_time - end_time)::double precision)
) AS events (event, time, lag)
WHERE time IS NOT NULL ORDER BY time""", "Times of the call and of its events; lag is seconds after its end. Source: calls.", {"lag": "s"}, width=16, height=8, empty=hint))
    built.with_panel(rows("Legs of the same conversation", """WITH root AS (SELECT coalesce(parent_call_sid, call_sid) AS sid FROM calls WHERE call_sid = ${call_sid:sqlstring})
SELECT call_sid AS call, CASE WHEN parent_call_sid IS NULL THEN 'parent' ELSE 'leg' END AS role, start_time AS time, outcome, call_type AS type,
  connect_seconds AS length, worst_loss_percent AS loss, worst_mos_est AS "MOS est."
FROM calls, root WHERE calls.call_sid = root.sid OR (calls.parent_call_sid = root.sid
  AND calls.start_time BETWEEN (SELECT start_time - interval '1 day' FROM calls WHERE call_sid = ${call_sid:sqlstring})
  AND (SELECT start_time + interval '1 day' FROM calls WHERE call_sid = ${call_sid:sqlstring}))
ORDER BY start_time""", "The call, its parent and the parent's other legs within a day. Source: calls.",
        {"length": "s", "loss": "percent", "MOS est.": "none"}, links={"call": ("All about this call", "/d/callsink-call?var-call_sid=${__value.raw}")}, width=16, height=8, empty=hint))
    return built


def ingestion():
    built = board("callsink-ingestion", "Ingestion",
        "Whether calls arrive, how late they get complete, what is missing and what could not be read. Deeper figures: /metrics of the service.", "now-24h", "1m")
    heard = "FROM call_summaries\nWHERE $__timeFilter({0})\n  AND start_time >= $__timeFrom()::timestamptz - interval '1 day'"
    built.with_row(row("Now"))
    built.with_panel(figure("Key figures are from", "SELECT extract(epoch FROM now() - refreshed_time)::double precision AS age FROM kpi_freshness",
        "Seconds since callsink serve last brought kpi_* up to date; it does so every CALLSINK_ROLLUP_SECONDS (60). Source: kpi_freshness.", "s", thresholds("green", (180, "orange"), (900, "red")), 0, width=4))
    built.with_panel(figure("Hours waiting", "SELECT hours_waiting FROM kpi_freshness", "Hours whose calls changed since. A few are normal. Source: kpi_freshness.", "short", thresholds("green", (100, "orange")), width=4))
    built.with_panel(figure("Newest event", "SELECT extract(epoch FROM now() - max(last_received_time))::double precision AS age FROM call_summaries WHERE start_time > now() - interval '1 day'",
        "Seconds since an event of a call of the last day came; nothing: none came. Long at a busy hour: look at the sink in Twilio. Source: call_summaries.", "s", thresholds("green", (900, "orange"), (7200, "red")), 0, width=4))
    built.with_panel(figure("Partial too old", """SELECT coalesce(sum(calls - complete), 0)::bigint AS calls
FROM kpi_calls_between(now() - interval '30 days', now() - interval '2 hours')""",
        "Calls that started two hours to 30 days ago and have no complete summary. callsink coverage --heal fetches it. Source: kpi_calls_hourly.", "short", thresholds("green", (1, "orange")), width=4))
    built.with_panel(figure("Missing calls", "SELECT coalesce(sum(missing), 0)::bigint AS missing FROM coverage WHERE $__timeFilter(hour)",
        "Calls that Twilio lists and that are not here, as of the last check of their hour. 0 also where nothing was checked: see the table. Source: coverage.", "short", thresholds("green", (1, "red")), width=4))
    built.with_panel(figure("Dead letters", "SELECT coalesce(sum(letters), 0)::bigint AS letters FROM dead_letter_counts WHERE $__timeFilter(hour)",
        "Events that could not be read or stored whole; none is lost, callsink replay stores them after a fix. Source: dead_letter_counts.", "short", thresholds("green", (1, "red")), width=4))

    built.with_row(row("Arrival"))
    built.with_panel(course("Calls first heard of, per minute", f"""SELECT {binned("first_received_time")}, 'calls per minute' AS metric,
  60.0 * count(*) / extract(epoch FROM '$__interval'::interval) AS value
{heard.format("first_received_time")}
GROUP BY 1 ORDER BY 1""", "By the time of the first event, of calls that started at most a day before the span. Source: call_summaries.", "short", width=12, interval="1m", decimals=1))
    built.with_panel(course("Latest events by state, per minute", f"""SELECT {binned("received")}, metric, 60.0 * count(*) / extract(epoch FROM '$__interval'::interval) AS value FROM (
  SELECT state AS metric, at AS received FROM call_summaries
  CROSS JOIN LATERAL (VALUES ('partial', partial_time), ('predicted-complete', predicted_complete_time), ('complete', complete_time)) AS events (state, at)
  WHERE start_time BETWEEN $__timeFrom()::timestamptz - interval '1 day' AND $__timeTo()::timestamptz AND $__timeFilter(at)
) AS events
GROUP BY 1, 2 ORDER BY 1""", "When Twilio emitted the latest event of each state of a call; repeats are not counted. Source: call_summaries.", "short", width=12, interval="1m", decimals=1))
    built.with_panel(course("End of the call to complete", f"""SELECT {TIME}, metric, value FROM (
  SELECT hour, histogram_quantile(histogram_sum(complete_lag_histogram), 0.5) AS p50, histogram_quantile(histogram_sum(complete_lag_histogram), 0.95) AS p95
  FROM kpi_calls_hourly WHERE $__timeFilter(hour) GROUP BY 1) AS hours
CROSS JOIN LATERAL (VALUES ('p50', p50), ('p95', p95)) AS series (metric, value)
WHERE value IS NOT NULL ORDER BY 1""", f"Seconds; Twilio promises complete about 30 minutes after the end. {OFF} {ROLLUP}", "s", width=12))
    built.with_panel(course("How final rows are", f"""SELECT {TIME}, metric, sum(value)::bigint AS value FROM kpi_calls_hourly
CROSS JOIN LATERAL (VALUES ('complete', complete), ('predicted-complete', predicted_complete), ('partial', still_partial)) AS series (metric, value)
WHERE $__timeFilter(hour) GROUP BY 1, 2 ORDER BY 1""", f"Calls by the state of the summary that their row shows; only the last hours may be partial. {ROLLUP}", "short", width=12, stacked=True, bars=True))

    built.with_row(row("What is missing, what is new"))
    built.with_panel(rows("Coverage against Twilio's list", """SELECT account_sid AS account, sum(listed)::bigint AS listed, sum(present)::bigint AS present, sum(missing)::bigint AS missing,
  sum(still_partial)::bigint AS partial, sum(healed)::bigint AS healed, count(*) AS "hours checked", max(checked_time) AS "last check"
FROM coverage WHERE $__timeFilter(hour) GROUP BY 1 ORDER BY missing DESC""", "Calls that Twilio's REST API lists against rows here. Source: coverage, written by callsink coverage, backfill and CALLSINK_RECONCILE.",
        width=12, empty="No hour of this span was checked: run callsink coverage, or set CALLSINK_RECONCILE"))
    built.with_panel(rows("Dead letters by reason", """SELECT reason, coalesce(sqlstate, '') AS "SQLSTATE", sum(letters)::bigint AS letters, sum(occurrences)::bigint AS occurrences, max(last_received_time) AS "last received"
FROM dead_letter_counts WHERE $__timeFilter(hour) GROUP BY 1, 2 ORDER BY 3 DESC""", "Counts only; the events are in callsink.dead_letters. Source: dead_letter_counts.", width=12, empty="None, as it should be"))
    built.with_panel(rows("Fields that no column holds", """SELECT path, schema_version AS version, example_type AS type, occurrences, first_seen_time AS "first seen", last_seen_time AS "last seen"
FROM unknown_fields ORDER BY first_seen_time DESC LIMIT 100""", "Twilio has added a field: look for a newer callsink; values are in payload. Of all times. Source: unknown_fields.", width=12, empty="None, as it should be"))
    built.with_panel(rows("Partial too old", """SELECT call_sid AS call, start_time AS time, end_time AS ended, finality, last_received_time AS "last heard"
FROM calls WHERE start_time BETWEEN now() - interval '3 days' AND now() AND end_time < now() - interval '45 minutes' AND finality <> 'complete'
ORDER BY start_time DESC LIMIT 100""", "The latest of the calls that should be complete and are not. Source: calls.",
        links={"call": ("All about this call", "/d/callsink-call?var-call_sid=${__value.raw}")}, width=12, empty="None, as it should be"))
    return built


if __name__ == "__main__":
    write("call-quality", quality())
    write("one-call", one_call())
    write("ingestion", ingestion())
