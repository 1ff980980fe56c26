-- Is the data itself complete: rows still partial, lag to complete, calls that only Twilio has, new fields, dead letters?
-- missing_calls is NULL while no hour was checked (callsink coverage, or CALLSINK_RECONCILE).
SELECT (SELECT count(*) FROM calls
        WHERE start_time >= now() - interval '14 days' AND end_time < now() - interval '45 minutes' AND finality <> 'complete') AS partial_too_old,
       (SELECT round(histogram_quantile(histogram_sum(complete_lag_histogram), 0.5)) FROM kpi_calls_daily
        WHERE day >= now() - interval '14 days') AS complete_lag_p50_seconds,
       (SELECT round(histogram_quantile(histogram_sum(complete_lag_histogram), 0.95)) FROM kpi_calls_daily
        WHERE day >= now() - interval '14 days') AS complete_lag_p95_seconds,
       (SELECT sum(missing)::bigint FROM coverage WHERE hour >= now() - interval '14 days') AS missing_calls,
       (SELECT count(*) FROM unknown_fields) AS new_fields,
       (SELECT coalesce(sum(letters), 0)::bigint FROM dead_letter_counts) AS dead_letters,
       (SELECT hours_waiting FROM kpi_freshness) AS hours_waiting;
