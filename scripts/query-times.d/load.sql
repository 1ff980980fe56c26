-- Makes :calls calls over the last thirty whole days out of those that callsink has stored, which came in through its door.
--
-- Every made call is a stored one under another SID and at another time; all its times are moved by the same span. Calls come in
-- the order of time, as they would: busy from six to twenty hours UTC, weekends at two fifths.
-- The indexes are built afterwards, which is quicker; the rest is as the migrations made it.
\set ON_ERROR_STOP 1
\set QUIET 1
SET work_mem = '512MB';
SET maintenance_work_mem = '512MB';
SET synchronous_commit = off;
CREATE SCHEMA query_times;

CREATE UNLOGGED TABLE query_times.seed AS
SELECT
    row_number() OVER (ORDER BY call_sid) AS number,
    coalesce(start_time, created_time, event_time) AS anchor,
    call_summaries.*
FROM call_summaries
WHERE coalesce(start_time, created_time, event_time) IS NOT NULL;

ANALYZE query_times.seed;

-- As stored by callsink, updates included; what is made below has none.
CREATE TABLE query_times.stored AS
SELECT count(*) AS calls, pg_total_relation_size('call_summaries') AS bytes FROM call_summaries;

CREATE TABLE query_times.indexes AS
SELECT pg_get_indexdef(indexrelid) AS definition, indexrelid::regclass::text AS name
FROM pg_index
WHERE indrelid = 'call_summaries'::regclass AND NOT indisprimary;

SELECT format('DROP INDEX %s', name) FROM query_times.indexes
\gexec
ALTER TABLE call_summaries DROP CONSTRAINT call_summaries_pkey;
TRUNCATE call_summaries, callsink.dirty_hours;

CREATE TABLE query_times.hours AS
WITH weighted AS (
    SELECT
        hour,
        (0.15 + greatest(0, sin(pi() * (extract(HOUR FROM hour AT TIME ZONE 'UTC') - 6) / 14)))
        * CASE WHEN extract(ISODOW FROM hour AT TIME ZONE 'UTC') > 5 THEN 0.4 ELSE 1 END AS weight
    FROM generate_series(
        date_trunc('day', now(), 'UTC') - interval '30 days',
        date_trunc('day', now(), 'UTC') - interval '1 hour',
        interval '1 hour'
    ) AS hour
),

shares AS (
    SELECT hour, round(:calls * weight / sum(weight) OVER ())::bigint AS calls FROM weighted
)

SELECT hour, coalesce(sum(calls) OVER earlier, 0)::bigint AS first, calls
FROM shares
WHERE calls > 0
WINDOW earlier AS (ORDER BY hour ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);

SELECT
    string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns,
    string_agg(CASE
        WHEN attname = 'call_sid' THEN '''CA'' || md5(n::text)'
        WHEN format_type(atttypid, NULL) = 'timestamp with time zone'
            THEN format('seed.%I + (start - anchor)', attname)
        ELSE format('seed.%I', attname)
    END, ', ' ORDER BY attnum) AS moved
FROM pg_attribute
WHERE attrelid = 'call_summaries'::regclass AND attnum > 0 AND NOT attisdropped
\gset

SELECT format($sql$
    INSERT INTO call_summaries (%1$s)
    SELECT %2$s
    FROM (
        SELECT
            n,
            hour + (n - first) * (interval '1 hour' / calls) AS start,
            1 + (hashint8extended(n, 0) & 9223372036854775807) %% (SELECT max(number) FROM query_times.seed) AS number
        FROM query_times.hours, generate_series(first, first + calls - 1) AS n
        WHERE hour >= %3$L AND hour < %3$L::timestamptz + interval '1 day'
    ) AS made
    JOIN query_times.seed AS seed USING (number);
    SELECT %4$L AS loaded$sql$,
    :'columns', :'moved', day, to_char(day, 'YYYY-MM-DD'))
FROM (SELECT DISTINCT date_trunc('day', hour, 'UTC') AS day FROM query_times.hours) AS days
ORDER BY day
\gexec

\echo indexes ...
ALTER TABLE call_summaries ADD CONSTRAINT call_summaries_pkey PRIMARY KEY (call_sid);
SELECT definition FROM query_times.indexes
\gexec
VACUUM ANALYZE call_summaries;

INSERT INTO callsink.dirty_hours
SELECT DISTINCT date_trunc('hour', start_time, 'UTC') FROM call_summaries WHERE start_time IS NOT NULL;
