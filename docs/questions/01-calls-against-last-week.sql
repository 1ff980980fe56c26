-- How many calls today against the same weekday before, by direction, type and account?
-- Both days up to this time of the day, in whole hours.
SELECT direction, call_type, right(account_sid, 6) AS account,
       sum(calls) FILTER (WHERE hour >= date_trunc('day', now(), 'UTC'))::bigint AS today,
       sum(calls) FILTER (WHERE hour < date_trunc('day', now(), 'UTC'))::bigint AS a_week_before
FROM kpi_calls_hourly
WHERE hour BETWEEN date_trunc('day', now(), 'UTC') AND now()
   OR hour BETWEEN date_trunc('day', now(), 'UTC') - interval '7 days' AND now() - interval '7 days'
GROUP BY 1, 2, 3
ORDER BY 4 DESC NULLS LAST, 5 DESC
LIMIT 12;
