-- Which destination countries or carriers dropped in ASR or NER this week?
-- The last seven days against the seven before; only where both have 30 attempts. Changes are points.
WITH week AS (
    SELECT country_code, carrier, day >= now() - interval '7 days' AS is_this, sum(attempts) AS attempts,
           100.0 * sum(answered) / nullif(sum(attempts), 0) AS asr, 100.0 * sum(delivered) / nullif(sum(attempts), 0) AS ner
    FROM kpi_calls_daily
    WHERE day >= now() - interval '14 days' AND direction NOT IN ('inbound', 'trunking_originating')
    GROUP BY 1, 2, 3
)
SELECT this.country_code AS country, coalesce(this.carrier, '(none)') AS carrier, this.attempts::bigint,
       round(this.asr, 1) AS asr, round(this.asr - before.asr, 1) AS asr_change,
       round(this.ner, 1) AS ner, round(this.ner - before.ner, 1) AS ner_change
FROM week AS this
JOIN week AS before ON this.is_this AND NOT before.is_this
    AND before.country_code IS NOT DISTINCT FROM this.country_code AND before.carrier IS NOT DISTINCT FROM this.carrier
WHERE this.attempts >= 30 AND before.attempts >= 30
ORDER BY least(this.asr - before.asr, this.ner - before.ner)
LIMIT 10;
