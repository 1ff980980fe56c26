-- What share of calls carries a quality tag, and which tags, over time?
SELECT day::date, sum(calls)::bigint AS calls,
       round(100.0 * sum(tagged) / sum(calls), 1) AS tagged_percent,
       sum(silence)::bigint AS silence, sum(high_jitter)::bigint AS high_jitter, sum(high_packet_loss)::bigint AS high_packet_loss,
       sum(high_pdd)::bigint AS high_pdd, sum(high_latency)::bigint AS high_latency, sum(low_mos)::bigint AS low_mos,
       sum(ice_failure)::bigint AS ice_failure, sum(pstn_short_duration)::bigint AS short
FROM kpi_calls_daily
WHERE day >= now() - interval '14 days'
GROUP BY 1
ORDER BY 1;
