-- Which Twilio edge locations carried the calls, and is any far from its callers?
SELECT coalesce(edge_location, '(none)') AS location, country_code AS country, sum(legs)::bigint AS legs,
       round(histogram_quantile(histogram_sum(rtt_histogram), 0.95)::numeric) AS rtt_p95_ms,
       round(histogram_quantile(histogram_sum(jitter_histogram), 0.95)::numeric, 1) AS jitter_p95_ms
FROM kpi_edges_daily
WHERE day >= now() - interval '14 days'
GROUP BY 1, 2
ORDER BY 3 DESC
LIMIT 12;
