-- How long do answered calls last (ACD, median, p90), by direction?
-- By number: group single calls by from_pseudonym or to_pseudonym of the view calls.
SELECT direction, sum(answered)::bigint AS answered,
       round(sum(connect_seconds)::numeric / nullif(sum(answered), 0), 1) AS acd_seconds,
       round(histogram_quantile(histogram_sum(connect_histogram), 0.5)) AS median_seconds,
       round(histogram_quantile(histogram_sum(connect_histogram), 0.9)) AS p90_seconds
FROM kpi_calls_daily
WHERE day >= now() - interval '14 days'
GROUP BY 1
ORDER BY 2 DESC;
