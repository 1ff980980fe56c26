-- What is jitter, average and maximum, by edge? What share meets Twilio's condition?
-- jittery: average of at least 5 ms and maximum of at least 30 ms. The other condition, late packets, is in the tag only.
SELECT edge, direction, sum(jitter_measured)::bigint AS calls,
       round(histogram_quantile(histogram_sum(jitter_histogram), 0.5)::numeric, 1) AS p50_ms,
       round(histogram_quantile(histogram_sum(jitter_histogram), 0.95)::numeric, 1) AS p95_ms,
       round(histogram_quantile(histogram_sum(jitter_max_histogram), 0.95)::numeric, 1) AS max_p95_ms,
       round(100.0 * sum(jittery) / nullif(sum(jitter_measured), 0), 1) AS jittery_percent
FROM kpi_edges_daily
WHERE day >= now() - interval '14 days'
GROUP BY 1, 2
HAVING sum(jitter_measured) > 0
ORDER BY jittery_percent DESC;
