-- The panels of the Grafana dashboard in the file $DASHBOARD, over the last :days days, with every value of its variables chosen.
\set ON_ERROR_STOP 1
\set content `cat "$DASHBOARD"`

WITH panel AS (
    SELECT ordinality AS position, value AS panel
    FROM jsonb_path_query(:'content'::jsonb, 'strict $.** ? (@.targets[*].rawSql != "")', silent => true) WITH ORDINALITY AS found (value, ordinality)
),

target AS (
    SELECT DISTINCT ON (position, sql)
        position,
        panel ->> 'title' AS title,
        target ->> 'rawSql' AS sql
    FROM panel, jsonb_array_elements(panel -> 'targets') AS target (target),
        LATERAL (SELECT target ->> 'rawSql' AS sql) AS raw
    WHERE panel ? 'title' AND panel ? 'targets'
),

span AS (
    SELECT
        quote_literal(date_trunc('day', now(), 'UTC') - make_interval(days => :days)) AS since,
        quote_literal(date_trunc('day', now(), 'UTC')) AS until
),

chosen AS (
    SELECT
        (SELECT string_agg(DISTINCT quote_literal(coalesce(account_sid, '(none)')), ',') FROM kpi_calls_daily) AS account,
        (SELECT string_agg(DISTINCT quote_literal(coalesce(direction, '(none)')), ',') FROM kpi_calls_daily) AS direction,
        (SELECT string_agg(DISTINCT quote_literal(coalesce(country_code, '(none)')), ',') FROM kpi_calls_daily) AS country,
        (SELECT string_agg(DISTINCT quote_literal(coalesce(carrier, '(none)')), ',') FROM kpi_calls_daily) AS carrier
)

INSERT INTO query_times.queries (name, sql)
SELECT
    format('panel "%s", %s', replace(title, '|', ','), CASE :days WHEN 1 THEN 'one day' ELSE '30 days' END),
    replace(replace(replace(replace(replace(replace(replace(replace(
        regexp_replace(regexp_replace(sql,
            '\$__timeFilter\(([^)]*)\)', '\1 BETWEEN ' || since || ' AND ' || until, 'g'),
            '\$__timeGroupAlias\(([^),]*),[^)]*\)', 'floor(extract(epoch from \1)/3600)*3600 AS "time"', 'g'),
        '$__timeFrom()', since), '$__timeTo()', until),
        '${account:sqlstring}', account), '${direction:sqlstring}', direction),
        '${country:sqlstring}', country), '${carrier:sqlstring}', carrier),
        '${call_sid:sqlstring}', quote_literal('CA' || md5('4711'))), '$__interval', '1h')
FROM target, span, chosen
ORDER BY position;
