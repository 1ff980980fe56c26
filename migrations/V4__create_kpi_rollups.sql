-- Rollups that dashboards read, and what keeps them true.
--
-- Every change of a row marks the hours that it touches in callsink.dirty_hours, in the same transaction. The service deletes
-- marks and, in that transaction, computes those hours anew from call_summaries: so a rollup is what a full recomputation
-- gives, also after late, corrected and deleted calls, and nothing has to be subtracted. Marks are appended and never updated, so
-- that workers don't wait for each other. Days are summed from hours. Hours and days are UTC.
-- Percentiles come from histograms, because those of parts can be added and percentiles can't.

-- What the row was counted under before: start_time is corrected now and then, and the old hour must then be computed anew.
ALTER TABLE public.call_summaries ADD COLUMN replaced_start_time timestamptz;

COMMENT ON COLUMN public.call_summaries.replaced_start_time IS 'start_time that this row showed before its last change; tells the rollups which hour it left. NULL: it showed none, or never changed.';

CREATE TABLE callsink.dirty_hours (
    hour timestamptz NOT NULL
);

COMMENT ON TABLE callsink.dirty_hours IS 'Hours whose rollups must be computed anew; several marks of one hour are normal. Emptied by callsink serve. A day of the past may be marked by hand, too: INSERT INTO callsink.dirty_hours VALUES (...).';
COMMENT ON COLUMN callsink.dirty_hours.hour IS 'Start of the hour, UTC.';

CREATE TABLE callsink.kpi_refresh (
    only_row boolean NOT NULL DEFAULT true,
    refreshed_time timestamptz,
    CONSTRAINT kpi_refresh_pkey PRIMARY KEY (only_row),
    CONSTRAINT kpi_refresh_one_row_check CHECK (only_row)
);

COMMENT ON TABLE callsink.kpi_refresh IS 'One row: when the rollups were last brought up to date.';
COMMENT ON COLUMN callsink.kpi_refresh.only_row IS 'Always true: there is one row.';
COMMENT ON COLUMN callsink.kpi_refresh.refreshed_time IS 'When the rollups were last brought up to date, by the clock of PostgreSQL. NULL: never.';

INSERT INTO callsink.kpi_refresh DEFAULT VALUES;

-- Histograms: one number of type numeric each. Bucket n, from 0 on, is its digits 12n + 1 to 12n + 12 from the right.
-- So adding histograms is adding numbers, which PostgreSQL does forty times as fast as any function over
-- arrays could, and they are a fifth as large. A bucket counts up to 10^12 - 1, and so may all of them together.
-- Bucket 0 holds values up to 0.1; bucket n from 1 on those in (0.1 * 1.15^(n-1), 0.1 * 1.15^n]; bucket 100 all beyond.
-- A quantile answers with the geometric middle of its bucket, so that it is off by 7.3 percent at most (1.15^0.5), and
-- values up to 0.1 count as 0. Fit for milliseconds, seconds and percent.
-- MOS needs a finer and even scale: bucket n holds what is nearest to 1 + n * 0.05, up to 5.

CREATE FUNCTION public.histogram_of(value double precision) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- 0.1397... is the logarithm of 1.15. Written so that PostgreSQL puts it in place of the call.
    SELECT CASE WHEN value <> 'NaN' THEN ('1e' || (12 * least(
        ceil(ln(greatest(least(value, 1e6), 0.1) * 10) / 0.13976194237515868 - 1e-9), 100
    )::integer)::text)::numeric END
$$;

COMMENT ON FUNCTION public.histogram_of(double precision) IS 'Histogram of a single value: histogram_sum(histogram_of(x)) is that of many. NULL: of NULL and NaN.';

CREATE FUNCTION public.mos_histogram_of(mos double precision) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN mos <> 'NaN' THEN ('1e' || (12 * round((least(greatest(mos, 1), 5) - 1) * 20)::integer)::text)::numeric END
$$;

COMMENT ON FUNCTION public.mos_histogram_of(double precision) IS 'Histogram of a single mean opinion score: histogram_sum(mos_histogram_of(x)) is that of many. NULL: of NULL and NaN.';

CREATE AGGREGATE public.histogram_sum(numeric) (
    SFUNC = numeric_add,
    STYPE = numeric,
    INITCOND = '0',
    COMBINEFUNC = numeric_add,
    PARALLEL = SAFE
);

COMMENT ON AGGREGATE public.histogram_sum(numeric) IS 'Adds histograms, so that histogram_quantile(histogram_sum(pdd_histogram), 0.95) is the percentile of many rows together. NULL adds nothing.';

CREATE FUNCTION callsink.histogram_add(histogram numeric, value double precision) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN histogram + coalesce(public.histogram_of(value), 0);
END
$$;

COMMENT ON FUNCTION callsink.histogram_add(numeric, double precision) IS 'Counts one value in a histogram; the step of the aggregate public.histogram. NULL and NaN are not counted.';

CREATE AGGREGATE public.histogram(double precision) (
    SFUNC = callsink.histogram_add,
    STYPE = numeric,
    INITCOND = '0',
    COMBINEFUNC = numeric_add,
    PARALLEL = SAFE
);

COMMENT ON AGGREGATE public.histogram(double precision) IS 'Histogram of values (milliseconds, seconds, percent) whose quantiles are off by 7.3 percent at most: 1.15-fold buckets from 0.1 to 117,000; values up to 0.1 count as 0. NULL is not counted.';

CREATE FUNCTION callsink.mos_histogram_add(histogram numeric, mos double precision) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN histogram + coalesce(public.mos_histogram_of(mos), 0);
END
$$;

COMMENT ON FUNCTION callsink.mos_histogram_add(numeric, double precision) IS 'Counts one MOS in a histogram; the step of the aggregate public.mos_histogram. NULL and NaN are not counted.';

CREATE AGGREGATE public.mos_histogram(double precision) (
    SFUNC = callsink.mos_histogram_add,
    STYPE = numeric,
    INITCOND = '0',
    COMBINEFUNC = numeric_add,
    PARALLEL = SAFE
);

COMMENT ON AGGREGATE public.mos_histogram(double precision) IS 'Histogram of mean opinion scores in buckets of 0.05 from 1 to 5; add them with histogram_sum, ask them with mos_quantile. NULL is not counted.';

CREATE FUNCTION public.histogram_count(histogram numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- Casting out nines: modulo 10^12 - 1, a number equals the sum of its groups of twelve digits.
    SELECT coalesce(histogram % 999999999999, 0)::bigint
$$;

COMMENT ON FUNCTION public.histogram_count(numeric) IS 'How many values a histogram has counted. Of NULL: 0.';

CREATE FUNCTION public.histogram_bucket(histogram numeric, quantile double precision) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    total bigint;
    wanted bigint;
    digits text;
    low integer;
    high integer;
    middle integer;
BEGIN
    IF histogram IS NULL OR histogram <= 0 OR quantile IS NULL THEN
        RETURN NULL;
    END IF;
    total := public.histogram_count(histogram);
    -- As percentile_disc: the first value at whose place the wanted share is reached.
    wanted := greatest(ceil(quantile * total), 1);
    digits := histogram::text;
    high := (length(digits) - 1) / 12;
    IF wanted >= total THEN
        RETURN high;
    END IF;
    low := (length(digits) - length(rtrim(digits, '0'))) / 12;
    WHILE low < high LOOP
        middle := (low + high) / 2;
        IF public.histogram_count(right(digits, 12 * (middle + 1))::numeric) >= wanted THEN
            high := middle;
        ELSE
            low := middle + 1;
        END IF;
    END LOOP;
    RETURN low;
END
$$;

COMMENT ON FUNCTION public.histogram_bucket(numeric, double precision) IS 'In which bucket, from 0 on, a quantile of a histogram lies. NULL: the histogram is empty.';

CREATE FUNCTION public.histogram_quantile(histogram numeric, quantile double precision) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    bucket CONSTANT integer := public.histogram_bucket(histogram, quantile);
BEGIN
    RETURN CASE bucket WHEN 0 THEN 0 ELSE 0.1 * power(1.15::double precision, bucket - 0.5) END;
END
$$;

COMMENT ON FUNCTION public.histogram_quantile(numeric, double precision) IS 'Quantile (0.95 for the 95th percentile) of a histogram, in the unit of its values: as percentile_disc, off by 7.3 percent at most. NULL: the histogram is empty.';

CREATE FUNCTION public.mos_quantile(histogram numeric, quantile double precision) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN 1 + public.histogram_bucket(histogram, quantile) / 20.0;
END
$$;

COMMENT ON FUNCTION public.mos_quantile(numeric, double precision) IS 'Quantile (0.05 for the worst twentieth) of a histogram of mean opinion scores: as percentile_disc, off by 0.025 at most. NULL: the histogram is empty.';

CREATE FUNCTION public.histogram_buckets(histogram numeric, OUT upper_bound double precision, OUT counted bigint)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT
        CASE WHEN bucket < 100 THEN 0.1 * power(1.15::double precision, bucket) ELSE 'Infinity' END,
        substr(digits, length(digits) - 12 * bucket - 11, 12)::bigint
    FROM (SELECT repeat('0', 12) || histogram::text AS digits) AS padded,
        generate_series(0, (length(digits) - 13) / 12) AS bucket
$$;

COMMENT ON FUNCTION public.histogram_buckets(numeric) IS 'A histogram as rows, lowest bucket first: upper_bound, in the unit of its values, and how many were counted from the last bound to it. Not for histograms of MOS.';

CREATE FUNCTION public.estimate_mos(
    packets_loss_percentage double precision,
    jitter_ms double precision,
    delay_ms double precision,
    codec_name text
) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    d CONSTANT double precision := coalesce(delay_ms, 0) + 2 * coalesce(jitter_ms, 0) + 20;
    loss CONSTANT double precision := least(greatest(packets_loss_percentage, 0), 100);
    is_g729 CONSTANT boolean := coalesce(codec_name ILIKE 'g729%', false);
    ie CONSTANT double precision := CASE WHEN is_g729 THEN 11 ELSE 0 END;
    bpl CONSTANT double precision := CASE WHEN is_g729 THEN 19.0 ELSE 25.1 END;
    r CONSTANT double precision := 93.2
        - (0.024 * d + CASE WHEN d > 177.3 THEN 0.11 * (d - 177.3) ELSE 0 END)
        - (ie + (95 - ie) * loss / (loss + bpl));
BEGIN
    RETURN CASE
        WHEN packets_loss_percentage IS NULL OR jitter_ms IS NULL THEN NULL
        WHEN r <= 0 THEN 1
        WHEN r >= 100 THEN 4.5
        ELSE 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r)
    END;
END
$$;

COMMENT ON FUNCTION public.estimate_mos(double precision, double precision, double precision, text) IS 'Estimate of the mean opinion score, 1 to 4.5, by the E-model (ITU-T G.107, with the delay impairment of Cole and Rosenbluth 2001; Ie and Bpl of G.711 with concealment from G.113, of G.729A where the codec is g729; other codecs count as G.711). In: loss in percent, average jitter in ms, one-way delay in ms (NULL counts as 0, which flatters), codec. The de-jitter buffer counts as twice the jitter, packets as 20 ms. Not Twilio''s MOS. NULL: loss or jitter was not measured.';

-- One row per hour and combination of the usual cuts. Sums and histograms add up over any of them.

CREATE TABLE callsink.call_kpis_hourly (
    hour timestamptz NOT NULL,
    account_sid text,
    direction text,
    call_type text,
    country_code text,
    carrier text,
    calls bigint NOT NULL,
    attempts bigint NOT NULL,
    answered bigint NOT NULL,
    delivered bigint NOT NULL,
    busy bigint NOT NULL,
    no_answer bigint NOT NULL,
    canceled bigint NOT NULL,
    failed bigint NOT NULL,
    connect_seconds bigint NOT NULL,
    long_calls bigint NOT NULL,
    short_candidates bigint NOT NULL,
    short_calls bigint NOT NULL,
    connect_histogram numeric NOT NULL,
    pdd_histogram numeric NOT NULL,
    queue_histogram numeric NOT NULL,
    tagged bigint NOT NULL,
    silence bigint NOT NULL,
    high_jitter bigint NOT NULL,
    high_packet_loss bigint NOT NULL,
    high_pdd bigint NOT NULL,
    high_latency bigint NOT NULL,
    low_mos bigint NOT NULL,
    ice_failure bigint NOT NULL,
    pstn_short_duration bigint NOT NULL,
    hung_up_by_caller bigint NOT NULL,
    hung_up_by_callee bigint NOT NULL,
    verified_attempts bigint NOT NULL,
    verified_answered bigint NOT NULL,
    answered_by_human bigint NOT NULL,
    answered_by_machine bigint NOT NULL,
    still_partial bigint NOT NULL,
    predicted_complete bigint NOT NULL,
    complete bigint NOT NULL,
    complete_lag_histogram numeric NOT NULL,
    -- Worked out when the row is written: a BI tool that reads whole rows asks for all of them.
    connect_p50_seconds double precision GENERATED ALWAYS AS (public.histogram_quantile(connect_histogram, 0.5)) STORED,
    connect_p90_seconds double precision GENERATED ALWAYS AS (public.histogram_quantile(connect_histogram, 0.9)) STORED,
    pdd_p50_ms double precision GENERATED ALWAYS AS (public.histogram_quantile(pdd_histogram, 0.5)) STORED,
    pdd_p90_ms double precision GENERATED ALWAYS AS (public.histogram_quantile(pdd_histogram, 0.9)) STORED,
    pdd_p95_ms double precision GENERATED ALWAYS AS (public.histogram_quantile(pdd_histogram, 0.95)) STORED,
    pdd_p99_ms double precision GENERATED ALWAYS AS (public.histogram_quantile(pdd_histogram, 0.99)) STORED,
    queue_p95_ms double precision GENERATED ALWAYS AS (public.histogram_quantile(queue_histogram, 0.95)) STORED,
    complete_lag_p50_seconds double precision GENERATED ALWAYS AS (public.histogram_quantile(complete_lag_histogram, 0.5)) STORED,
    complete_lag_p95_seconds double precision GENERATED ALWAYS AS (public.histogram_quantile(complete_lag_histogram, 0.95)) STORED
);

CREATE TABLE callsink.edge_kpis_hourly (
    hour timestamptz NOT NULL,
    account_sid text,
    edge text NOT NULL,
    direction text NOT NULL,
    codec_name text,
    edge_location text,
    country_code text,
    carrier text,
    legs bigint NOT NULL,
    packets_received bigint NOT NULL,
    packets_sent bigint NOT NULL,
    packets_lost bigint NOT NULL,
    loss_measured bigint NOT NULL,
    loss_over_1_percent bigint NOT NULL,
    loss_over_3_percent bigint NOT NULL,
    loss_over_5_percent bigint NOT NULL,
    jittery bigint NOT NULL,
    jitter_measured bigint NOT NULL,
    loss_histogram numeric NOT NULL,
    jitter_histogram numeric NOT NULL,
    jitter_max_histogram numeric NOT NULL,
    latency_histogram numeric NOT NULL,
    rtt_histogram numeric NOT NULL,
    mos_measured bigint NOT NULL,
    mos_sum double precision NOT NULL,
    mos_below_3_5 bigint NOT NULL,
    mos_histogram numeric NOT NULL,
    mos_est_measured bigint NOT NULL,
    mos_est_sum double precision NOT NULL,
    mos_est_histogram numeric NOT NULL,
    loss_p95_percent double precision GENERATED ALWAYS AS (public.histogram_quantile(loss_histogram, 0.95)) STORED,
    jitter_p50_ms double precision GENERATED ALWAYS AS (public.histogram_quantile(jitter_histogram, 0.5)) STORED,
    jitter_p95_ms double precision GENERATED ALWAYS AS (public.histogram_quantile(jitter_histogram, 0.95)) STORED,
    jitter_max_p95_ms double precision GENERATED ALWAYS AS (public.histogram_quantile(jitter_max_histogram, 0.95)) STORED,
    latency_p95_ms double precision GENERATED ALWAYS AS (public.histogram_quantile(latency_histogram, 0.95)) STORED,
    rtt_p50_ms double precision GENERATED ALWAYS AS (public.histogram_quantile(rtt_histogram, 0.5)) STORED,
    rtt_p95_ms double precision GENERATED ALWAYS AS (public.histogram_quantile(rtt_histogram, 0.95)) STORED,
    mos_p5 double precision GENERATED ALWAYS AS (public.mos_quantile(mos_histogram, 0.05)) STORED,
    mos_est_p5 double precision GENERATED ALWAYS AS (public.mos_quantile(mos_est_histogram, 0.05)) STORED
);

CREATE TABLE callsink.failure_kpis_hourly (
    hour timestamptz NOT NULL,
    account_sid text,
    direction text,
    call_type text,
    country_code text,
    carrier text,
    call_state text,
    last_sip_response_num integer,
    q850_cause integer,
    calls bigint NOT NULL
);

CREATE TABLE callsink.call_kpis_daily (LIKE callsink.call_kpis_hourly INCLUDING GENERATED);
CREATE TABLE callsink.edge_kpis_daily (LIKE callsink.edge_kpis_hourly INCLUDING GENERATED);
CREATE TABLE callsink.failure_kpis_daily (LIKE callsink.failure_kpis_hourly);
ALTER TABLE callsink.call_kpis_daily RENAME COLUMN hour TO day;
ALTER TABLE callsink.edge_kpis_daily RENAME COLUMN hour TO day;
ALTER TABLE callsink.failure_kpis_daily RENAME COLUMN hour TO day;

-- Rollups are read, and replaced, by spans of time.
CREATE INDEX call_kpis_hourly_hour_idx ON callsink.call_kpis_hourly (hour);
CREATE INDEX edge_kpis_hourly_hour_idx ON callsink.edge_kpis_hourly (hour);
CREATE INDEX failure_kpis_hourly_hour_idx ON callsink.failure_kpis_hourly (hour);
CREATE INDEX call_kpis_daily_day_idx ON callsink.call_kpis_daily (day);
CREATE INDEX edge_kpis_daily_day_idx ON callsink.edge_kpis_daily (day);
CREATE INDEX failure_kpis_daily_day_idx ON callsink.failure_kpis_daily (day);

-- The views say what each column means; here it is enough to say where.
DO $$
DECLARE
    name text;
    attribute name;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'call_kpis_hourly', 'call_kpis_daily', 'edge_kpis_hourly', 'edge_kpis_daily', 'failure_kpis_hourly', 'failure_kpis_daily'
    ] LOOP
        EXECUTE format(
            'COMMENT ON TABLE callsink.%I IS %L', name,
            'Source of the view public.kpi_' || replace(name, '_kpis_', 's_')
            || '; computed anew by callsink serve whenever calls of its hours change.'
        );
        FOR attribute IN
            SELECT attname FROM pg_attribute
            WHERE attrelid = ('callsink.' || name)::regclass AND attnum > 0
        LOOP
            EXECUTE format(
                'COMMENT ON COLUMN callsink.%I.%I IS %L', name, attribute,
                'As in public.kpi_' || replace(name, '_kpis_', 's_') || '.'
            );
        END LOOP;
    END LOOP;
END
$$;

-- The last hundred bad calls are looked for by time; most calls carry no tag, and the index holds only those that do.
CREATE INDEX call_summaries_tagged_start_time_idx ON public.call_summaries (start_time) WHERE tags <> '{}';

-- What is there already is counted, too, at the first refresh.
INSERT INTO callsink.dirty_hours (hour)
SELECT DISTINCT date_trunc('hour', start_time, 'UTC') FROM public.call_summaries WHERE start_time IS NOT NULL;
