-- Why do calls fail: last SIP response, Q.850 cause, state, by type?
-- Twilio says Q.850 causes in schema version 1 only.
-- By trunk: group single calls by trunk_sid of the view calls.
SELECT call_type, call_state, last_sip_response_num AS sip, nullif(q850_cause, 0) AS q850, sum(calls)::bigint AS calls,
       round(100.0 * sum(calls) / sum(sum(calls)) OVER (), 1) AS percent
FROM kpi_failures_daily
WHERE day >= now() - interval '14 days'
GROUP BY 1, 2, 3, 4
ORDER BY 5 DESC
LIMIT 15;
