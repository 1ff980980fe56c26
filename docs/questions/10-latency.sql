-- How is the round trip distributed on SDK calls, and how many are over 400 ms? Latency of gateways over 150 ms?
SELECT edge, count(*) AS calls,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY rtt_avg)::numeric) AS rtt_p50_ms,
       round(percentile_cont(0.95) WITHIN GROUP (ORDER BY rtt_avg)::numeric) AS rtt_p95_ms,
       round(100.0 * count(*) FILTER (WHERE rtt_avg > 400) / nullif(count(rtt_avg), 0), 1) AS rtt_over_400,
       round(percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_avg)::numeric) AS latency_p95_ms,
       round(100.0 * count(*) FILTER (WHERE latency_avg > 150) / nullif(count(latency_avg), 0), 1) AS latency_over_150
FROM call_edge_quality
WHERE start_time >= now() - interval '14 days' AND (rtt_avg IS NOT NULL OR latency_avg IS NOT NULL)
GROUP BY 1
ORDER BY 1;
