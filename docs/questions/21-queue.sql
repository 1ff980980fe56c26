-- How long do calls wait before they are dialled: are we limited by calls per second?
SELECT right(account_sid, 6) AS account, count(*) AS outbound, count(*) FILTER (WHERE queue_ms > 0) AS queued,
       round(100.0 * count(*) FILTER (WHERE queue_ms > 0) / count(*), 1) AS queued_percent,
       round(percentile_cont(0.95) WITHIN GROUP (ORDER BY queue_ms)) AS p95_ms, max(queue_ms) AS longest_ms
FROM calls
WHERE start_time >= now() - interval '14 days' AND way = 'outbound' AND queue_ms IS NOT NULL
GROUP BY 1
ORDER BY 2 DESC;
