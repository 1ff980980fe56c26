-- What is the post-dial delay (p50, p90, p95, p99) by country and carrier, and where did it rise?
-- The rise is that of the p95 against the week before, milliseconds.
-- By trunk: group single calls by trunk_sid of the view calls.
WITH week AS (
    SELECT country_code, carrier, day >= now() - interval '7 days' AS is_this, histogram_sum(pdd_histogram) AS pdd
    FROM kpi_calls_daily
    WHERE day >= now() - interval '14 days'
    GROUP BY 1, 2, 3
)
SELECT this.country_code AS country, coalesce(this.carrier, '(none)') AS carrier, histogram_count(this.pdd) AS measured,
       round(histogram_quantile(this.pdd, 0.5)) AS p50, round(histogram_quantile(this.pdd, 0.9)) AS p90,
       round(histogram_quantile(this.pdd, 0.95)) AS p95, round(histogram_quantile(this.pdd, 0.99)) AS p99,
       round(histogram_quantile(this.pdd, 0.95) - histogram_quantile(before.pdd, 0.95)) AS p95_rise
FROM week AS this
LEFT JOIN week AS before ON NOT before.is_this
    AND before.country_code IS NOT DISTINCT FROM this.country_code AND before.carrier IS NOT DISTINCT FROM this.carrier
WHERE this.is_this AND histogram_count(this.pdd) >= 20
ORDER BY p95 DESC
LIMIT 12;
