-- What share of calls connected (ASR), and what share did the network deliver (NER), by hour?
SELECT to_char(hour AT TIME ZONE 'UTC', 'DD Mon HH24:MI') AS hour, sum(attempts)::bigint AS attempts,
       round(100.0 * sum(answered) / nullif(sum(attempts), 0), 1) AS asr_percent,
       round(100.0 * sum(delivered) / nullif(sum(attempts), 0), 1) AS ner_percent
FROM kpi_calls_hourly
WHERE hour >= now() - interval '12 hours'
GROUP BY kpi_calls_hourly.hour
ORDER BY kpi_calls_hourly.hour;
