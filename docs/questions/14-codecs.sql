-- Which codecs were used, and does quality differ by codec?
SELECT coalesce(codec_name, '(none)') AS codec, edge, sum(legs)::bigint AS legs,
       round(histogram_quantile(histogram_sum(loss_histogram), 0.95)::numeric, 2) AS loss_p95,
       round(histogram_quantile(histogram_sum(jitter_histogram), 0.95)::numeric, 1) AS jitter_p95_ms,
       round((sum(mos_sum) / nullif(sum(mos_measured), 0))::numeric, 2) AS mos,
       round((sum(mos_est_sum) / nullif(sum(mos_est_measured), 0))::numeric, 2) AS mos_est
FROM kpi_edges_daily
WHERE day >= now() - interval '14 days'
GROUP BY 1, 2
ORDER BY 3 DESC;
