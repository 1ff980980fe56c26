-- Key figures of a span from as few rows as there are: whole days from the daily rollups, the hours at its ends from the hourly ones.
--
-- A figure over thirty days reads a fifteenth of the rows, to the same result: days are summed from hours, in one transaction
-- with them. Functions and not views, as both ends must be known. They are plain SQL, which PostgreSQL puts in place of the call,
-- so that conditions and columns of the query around them reach the tables, and they run with the rights of who asks.

DO $$
DECLARE
    figures text;
BEGIN
    FOREACH figures IN ARRAY ARRAY['kpi_calls', 'kpi_edges', 'kpi_failures'] LOOP
        EXECUTE format($create$
            CREATE FUNCTION public.%1$s_between(since timestamptz, until timestamptz) RETURNS SETOF public.%1$s_hourly
            LANGUAGE sql STABLE PARALLEL SAFE AS $function$
                -- The first and the last midnight between which days are whole; where none is, the first comes after the last.
                SELECT * FROM public.%1$s_hourly
                WHERE hour >= since AND hour <= until
                    AND hour < date_trunc('day', since + interval '1 day' - interval '1 microsecond', 'UTC')
                UNION ALL
                SELECT * FROM public.%1$s_daily
                WHERE day >= date_trunc('day', since + interval '1 day' - interval '1 microsecond', 'UTC')
                    AND day < date_trunc('day', until + interval '1 hour', 'UTC')
                UNION ALL
                SELECT * FROM public.%1$s_hourly
                WHERE hour <= until
                    AND hour >= greatest(
                        date_trunc('day', since + interval '1 day' - interval '1 microsecond', 'UTC'),
                        date_trunc('day', until + interval '1 hour', 'UTC'))
            $function$
        $create$, figures);
        EXECUTE format('COMMENT ON FUNCTION public.%1$s_between(timestamptz, timestamptz) IS %2$L', figures, format(
            'The rows of %1$s_hourly with hours from since to until, both included, but with whole days (UTC) as their rows of %1$s_daily: for figures of the span as a whole, from far fewer rows. hour is the start of the hour or of the day.',
            figures));
    END LOOP;
END
$$;
