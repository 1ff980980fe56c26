-- Which carriers are worst for loss, jitter and silence on the carrier edge, per country?
WITH media AS (
    SELECT country_code, carrier, sum(legs) AS legs, 100.0 * sum(packets_lost) / nullif(sum(packets_received + packets_lost), 0) AS loss,
           histogram_quantile(histogram_sum(jitter_histogram), 0.95) AS jitter, sum(mos_est_sum) / nullif(sum(mos_est_measured), 0) AS mos_est
    FROM kpi_edges_daily
    WHERE day >= now() - interval '14 days' AND edge = 'carrier_edge' AND direction = 'inbound'
    GROUP BY 1, 2
), quiet AS (
    SELECT country_code, carrier, 100.0 * sum(silence) / nullif(sum(answered), 0) AS silence
    FROM kpi_calls_daily
    WHERE day >= now() - interval '14 days' AND call_type = 'carrier'
    GROUP BY 1, 2
)
SELECT media.country_code AS country, coalesce(media.carrier, '(none)') AS carrier, legs::bigint AS calls, round(loss, 2) AS loss_percent,
       round(jitter::numeric, 1) AS jitter_p95_ms, round(silence, 1) AS silent_percent, round(mos_est::numeric, 2) AS mos_est
FROM media
LEFT JOIN quiet ON quiet.country_code IS NOT DISTINCT FROM media.country_code AND quiet.carrier IS NOT DISTINCT FROM media.carrier
WHERE legs >= 20
ORDER BY loss DESC
LIMIT 12;
