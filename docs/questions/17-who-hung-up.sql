-- Who hung up, and how often in the first 10 seconds?
SELECT direction, coalesce(hung_up_by, 'not known') AS hung_up_by, count(*) AS answered,
       count(*) FILTER (WHERE connect_seconds < 10) AS in_10_seconds,
       round(100.0 * count(*) FILTER (WHERE connect_seconds < 10) / count(*), 1) AS percent
FROM calls
WHERE start_time >= now() - interval '14 days' AND answered
GROUP BY 1, 2
ORDER BY 1, 3 DESC;
