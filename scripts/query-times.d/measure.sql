-- Times every query five times after one that warms the cache, as callsink_reader, by PostgreSQL's own clock (planning and execution, without sending rows).
\set ON_ERROR_STOP 1
\set QUIET 1
CREATE TABLE query_times.results (number integer, milliseconds double precision[], scanned bigint, returned bigint);

CREATE PROCEDURE query_times.measure() LANGUAGE plpgsql AS $$
DECLARE
    query record;
    plan jsonb;
    times double precision[];
BEGIN
    FOR query IN SELECT * FROM query_times.queries ORDER BY number LOOP
        times := '{}';
        SET ROLE callsink_reader;
        FOR round IN 1 .. 6 LOOP
            EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query.sql INTO plan;
            -- The first run finds the cache as the query before left it; it is not counted.
            CONTINUE WHEN round = 1;
            times := times || ((plan #>> '{0,Planning Time}')::double precision + (plan #>> '{0,Execution Time}')::double precision);
        END LOOP;
        RESET ROLE;
        INSERT INTO query_times.results
        SELECT
            query.number,
            times,
            sum(((node ->> 'Actual Rows')::numeric + coalesce((node ->> 'Rows Removed by Filter')::numeric, 0))
                * (node ->> 'Actual Loops')::numeric),
            (plan #>> '{0,Plan,Actual Rows}')::bigint
        -- lax would unpack arrays on its own and count nodes twice
        FROM jsonb_path_query(plan, 'strict $.**') AS node
        WHERE jsonb_typeof(node) = 'object' AND node ? 'Relation Name';
        COMMIT;
        RAISE NOTICE '% ms  %', lpad(round((SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY t) FROM unnest(times) AS t)::numeric, 1)::text, 9), query.name;
    END LOOP;
END
$$;

CALL query_times.measure();
