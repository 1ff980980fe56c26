-- What is the rate of short calls, and is a number flagged (over 15 percent)?
-- Completed outbound calls to the telephone network under 10 seconds, per calling number; most short calls first. Few calls say little.
SELECT from_party, from_pseudonym AS number, count(*) AS completed, count(*) FILTER (WHERE connect_seconds < 10) AS short,
       round(100.0 * count(*) FILTER (WHERE connect_seconds < 10) / count(*), 1) AS short_percent,
       count(*) FILTER (WHERE connect_seconds < 10) > 0.15 * count(*) AS flagged
FROM calls
WHERE start_time >= now() - interval '14 days' AND answered AND way = 'outbound' AND call_type IN ('carrier', 'trunking')
GROUP BY 1, 2
ORDER BY short DESC, short_percent DESC, number
LIMIT 10;
