-- What is the answer rate by SHAKEN/STIR attestation, branded or not?
-- Per calling number: add from_pseudonym.
SELECT coalesce(verified_caller::text, 'not said') AS attestation_a, coalesce(branded::text, 'not said') AS branded, count(*) AS attempts,
       count(*) FILTER (WHERE answered) AS answered,
       round(100.0 * count(*) FILTER (WHERE answered) / count(*), 1) AS answered_percent
FROM calls
WHERE start_time >= now() - interval '14 days' AND way = 'outbound' AND call_state NOT IN ('undialed', 'ringing')
GROUP BY 1, 2
ORDER BY 3 DESC;
