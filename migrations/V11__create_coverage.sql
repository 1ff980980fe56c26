-- What Twilio lists against what is here, by account and hour: the proof that nothing is missing, or the list of what is.
--
-- The counts are the machinery's (schema callsink); people read the view public.coverage, whose owner may look into them.

CREATE TABLE callsink.coverage_hours (
    account_sid text NOT NULL,
    hour timestamptz NOT NULL,
    listed bigint NOT NULL,
    present bigint NOT NULL,
    missing bigint NOT NULL,
    still_partial bigint NOT NULL,
    healed bigint NOT NULL,
    checked_time timestamptz NOT NULL,
    CONSTRAINT coverage_hours_pkey PRIMARY KEY (account_sid, hour)
);

COMMENT ON TABLE callsink.coverage_hours IS 'Source of the view public.coverage; written by callsink coverage, callsink backfill and the daily reconciliation of callsink serve.';
COMMENT ON COLUMN callsink.coverage_hours.account_sid IS 'As in public.coverage.';
COMMENT ON COLUMN callsink.coverage_hours.hour IS 'As in public.coverage.';
COMMENT ON COLUMN callsink.coverage_hours.listed IS 'As in public.coverage.';
COMMENT ON COLUMN callsink.coverage_hours.present IS 'As in public.coverage.';
COMMENT ON COLUMN callsink.coverage_hours.missing IS 'As in public.coverage.';
COMMENT ON COLUMN callsink.coverage_hours.still_partial IS 'As in public.coverage.';
COMMENT ON COLUMN callsink.coverage_hours.healed IS 'As in public.coverage.';
COMMENT ON COLUMN callsink.coverage_hours.checked_time IS 'As in public.coverage.';

CREATE TABLE callsink.reconciliations (
    started_time timestamptz NOT NULL,
    finished_time timestamptz,
    mode text NOT NULL,
    windows bigint NOT NULL,
    missing bigint NOT NULL,
    healed bigint NOT NULL,
    error text,
    CONSTRAINT reconciliations_pkey PRIMARY KEY (started_time)
);

COMMENT ON TABLE callsink.reconciliations IS 'Runs of the reconciliation that callsink serve does by itself (CALLSINK_RECONCILE), one row each. Replicas look here, too, so that one run a day is done by one of them.';
COMMENT ON COLUMN callsink.reconciliations.started_time IS 'When it began.';
COMMENT ON COLUMN callsink.reconciliations.finished_time IS 'When it ended, well or not. NULL: it runs, or its process was killed.';
COMMENT ON COLUMN callsink.reconciliations.mode IS 'report: it only counted. heal: what was missing or less final than at Twilio was fetched.';
COMMENT ON COLUMN callsink.reconciliations.windows IS 'Hours of accounts that were checked.';
COMMENT ON COLUMN callsink.reconciliations.missing IS 'Calls that Twilio listed and that had no row, or one still partial, before healing.';
COMMENT ON COLUMN callsink.reconciliations.healed IS 'Calls of these that were put right.';
COMMENT ON COLUMN callsink.reconciliations.error IS 'Why it did not reach its end. NULL: it did, or it still runs.';

CREATE VIEW public.coverage AS
SELECT
    account_sid,
    hour,
    listed,
    present,
    missing,
    still_partial,
    healed,
    checked_time
FROM callsink.coverage_hours;

COMMENT ON VIEW public.coverage IS 'Completeness: per account and hour, the calls that Twilio''s REST API lists against the rows of call_summaries, as of checked_time. An hour that is not here was never checked (callsink coverage, or CALLSINK_RECONCILE). Source: Twilio''s list of call summaries.';
COMMENT ON COLUMN public.coverage.account_sid IS 'Account of the calls (AC...).';
COMMENT ON COLUMN public.coverage.hour IS 'Start of the hour, UTC, in which the calls started.';
COMMENT ON COLUMN public.coverage.listed IS 'Calls that Twilio listed.';
COMMENT ON COLUMN public.coverage.present IS 'Calls of these that have a row, or were deleted by callsink erase.';
COMMENT ON COLUMN public.coverage.missing IS 'Calls of these that have no row: listed - present. callsink coverage --heal fetches them while Twilio keeps them (30 days).';
COMMENT ON COLUMN public.coverage.still_partial IS 'Calls that have a row which is not complete 45 minutes after the end of the call, although Twilio lists a more final one.';
COMMENT ON COLUMN public.coverage.healed IS 'Calls that checks have put right so far by reading them from the REST API: inserted, or made more final.';
COMMENT ON COLUMN public.coverage.checked_time IS 'When the last check of this hour began. A check less than 105 minutes after hour came before all its summaries were final.';

DO $$
DECLARE
    reader text;
BEGIN
    FOREACH reader IN ARRAY ARRAY['callsink_reader', 'callsink_pii_reader'] LOOP
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
            EXECUTE format('GRANT SELECT ON public.coverage TO %I', reader);
        END IF;
    END LOOP;
END
$$;
