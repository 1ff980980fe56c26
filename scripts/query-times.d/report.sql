-- The tables of docs/query-times.md.
\set ON_ERROR_STOP 1
\pset format unaligned
\pset tuples_only on
\pset fieldsep ''

SELECT format(E'## Times\n\n%s calls over 30 days, %s edges with metrics. Median of five, milliseconds, by the server''s clock, as `callsink_reader`; after one run that is not counted.\n',
    to_char((SELECT count(*) FROM call_summaries), 'FM999,999,999'),
    to_char((SELECT sum(legs) FROM kpi_edges_daily), 'FM999,999,999'));
SELECT '| query | rows read | rows returned | median ms | slowest ms |';
SELECT '|---|---|---|---|---|';
SELECT format('| %s | %s | %s | %s | %s |',
    name,
    to_char(coalesce(scanned, 0), 'FM999,999,999'),
    to_char(returned, 'FM999,999,999'),
    (SELECT to_char(percentile_disc(0.5) WITHIN GROUP (ORDER BY t), 'FM999,990.0') FROM unnest(milliseconds) AS t),
    (SELECT to_char(max(t), 'FM999,990.0') FROM unnest(milliseconds) AS t))
FROM query_times.results JOIN query_times.queries USING (number)
ORDER BY number;

SELECT E'\n## Space\n\n| relation | rows | size | per million calls |\n|---|---|---|---|';
SELECT format('| %s | %s | %s | %s |', name, to_char(rows, 'FM999,999,999'), pg_size_pretty(bytes), pg_size_pretty(bytes * 1000000 / calls))
FROM (SELECT count(*) AS calls FROM call_summaries) AS total,
LATERAL (VALUES
    (1, 'call_summaries, rows', calls, pg_relation_size('call_summaries')),
    (2, 'call_summaries, long values (TOAST)', calls, pg_table_size('call_summaries') - pg_relation_size('call_summaries')),
    (3, 'call_summaries_pkey', calls, pg_relation_size('call_summaries_pkey')),
    (4, 'call_summaries_start_time_idx', calls, pg_relation_size('call_summaries_start_time_idx')),
    (5, 'call_summaries_tagged_start_time_idx', calls, pg_relation_size('call_summaries_tagged_start_time_idx')),
    (6, 'key figures of calls, hourly', (SELECT count(*) FROM callsink.call_kpis_hourly), pg_total_relation_size('callsink.call_kpis_hourly')),
    (7, 'key figures of calls, daily', (SELECT count(*) FROM callsink.call_kpis_daily), pg_total_relation_size('callsink.call_kpis_daily')),
    (8, 'key figures of edges, hourly', (SELECT count(*) FROM callsink.edge_kpis_hourly), pg_total_relation_size('callsink.edge_kpis_hourly')),
    (9, 'key figures of edges, daily', (SELECT count(*) FROM callsink.edge_kpis_daily), pg_total_relation_size('callsink.edge_kpis_daily')),
    (10, 'failures, hourly', (SELECT count(*) FROM callsink.failure_kpis_hourly), pg_total_relation_size('callsink.failure_kpis_hourly')),
    (11, 'failures, daily', (SELECT count(*) FROM callsink.failure_kpis_daily), pg_total_relation_size('callsink.failure_kpis_daily'))
) AS relation (position, name, rows, bytes)
ORDER BY position;
SELECT format(E'\nThe made rows are written once. As callsink itself stores calls, with the updates of each, the table and its indexes took %s for %s calls: %s per million.',
    pg_size_pretty(bytes), to_char(calls, 'FM999,999,999'), pg_size_pretty(bytes * 1000000 / calls))
FROM query_times.stored;
