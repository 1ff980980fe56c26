-- How is packet loss distributed by edge and direction? What share is over 1, 3, 5 percent?
SELECT edge, direction, sum(loss_measured)::bigint AS calls,
       round(histogram_quantile(histogram_sum(loss_histogram), 0.5)::numeric, 2) AS p50,
       round(histogram_quantile(histogram_sum(loss_histogram), 0.95)::numeric, 2) AS p95,
       round(100.0 * sum(loss_over_1_percent) / nullif(sum(loss_measured), 0), 1) AS over_1,
       round(100.0 * sum(loss_over_3_percent) / nullif(sum(loss_measured), 0), 1) AS over_3,
       round(100.0 * sum(loss_over_5_percent) / nullif(sum(loss_measured), 0), 1) AS over_5
FROM kpi_edges_daily
WHERE day >= now() - interval '14 days'
GROUP BY 1, 2
HAVING sum(loss_measured) > 0
ORDER BY over_5 DESC NULLS LAST;
