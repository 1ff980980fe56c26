-- Human, machine, fax or unknown? What is the answer rate by local hour?
-- answered_by is known for calls with answering-machine detection. The hour is UTC: put the callee's zone in its place.
SELECT extract(hour FROM start_time AT TIME ZONE 'UTC')::int AS hour, count(*) AS attempts,
       round(100.0 * count(*) FILTER (WHERE answered) / count(*), 1) AS answered_percent,
       count(*) FILTER (WHERE answered_by = 'human') AS human,
       count(*) FILTER (WHERE answered_by LIKE 'machine%') AS machine,
       count(*) FILTER (WHERE answered_by = 'fax') AS fax,
       count(*) FILTER (WHERE answered AND coalesce(answered_by, 'unknown') = 'unknown') AS not_known
FROM calls
WHERE start_time >= now() - interval '14 days' AND direction = 'outbound_api' AND call_state NOT IN ('undialed', 'ringing')
GROUP BY 1
ORDER BY 1;
