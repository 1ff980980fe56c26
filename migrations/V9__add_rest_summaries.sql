-- A second source of a call: its summary, read from Twilio's REST API.
--
-- Backfill and reconciliation read summaries that no event brought. Of each call the row keeps the greatest event and
-- the greatest REST summary, both whole: one in payload, the other in other_payload. All columns are worked out from these
-- two, so that the row does not depend on which came first, and neither blanks what only the other carries.
-- Rows that only events have told of (all of them, until somebody backfills) are as they were.

ALTER TABLE public.call_summaries
    ADD COLUMN summary_source text NOT NULL DEFAULT 'event',
    ADD COLUMN rest_observed_time timestamptz,
    ADD COLUMN other_payload json,
    ALTER COLUMN event_type DROP NOT NULL;

COMMENT ON TABLE public.call_summaries IS 'One row per call: the most final call summary that Twilio has sent, or that was read from its REST API, every documented field in a column of its own, and the payload as sent. Empty texts, unknown_* and absent fields are NULL. Source: Twilio Voice Insights call-summary events and REST summaries.';
COMMENT ON COLUMN public.call_summaries.summary_source IS 'Whose summary this row shows: event, or rest for one read from the REST API (it was more final, or later). Whoever wins, columns that only events carry (parent_*, *_sdk_*, event_*, ...) and columns that only REST carries (annotation_*, answered_by, url) come from there.';
COMMENT ON COLUMN public.call_summaries.rest_observed_time IS 'When the REST summary of this call was asked for that counts: the latest of the most final, by the clock of callsink. NULL: none was read.';
COMMENT ON COLUMN public.call_summaries.other_payload IS 'The summary that this row does not show: the greatest event''s data where summary_source is rest, the REST summary where it is event. Whole and as sent; holds personal data. NULL: only one of the two is known.';
COMMENT ON COLUMN public.call_summaries.payload IS 'The data of the event, or the REST summary, that this row shows, whole and as sent. Holds personal data. It is json, not jsonb: the text stays as it came.';
COMMENT ON COLUMN public.call_summaries.event_rank IS 'How final what this row shows is: 3 complete, 2 predicted-complete, 1 partial, 0 any other; from the type of the event, or the processing_state of the REST summary. First part of the key by which events of one call converge.';
COMMENT ON COLUMN public.call_summaries.event_type IS 'Full CloudEvents type of the greatest event of the call: com.twilio.voice.insights.call-summary.partial, .predicted-complete or .complete. NULL: no event came, the call is known from the REST API only. event_rank says how final the row is.';
COMMENT ON COLUMN public.call_summaries.processing_version IS 'Counts Twilio''s updates of the summary, in the greatest event. Second part of the key. NULL: not said, which sorts lowest, or no event came.';
COMMENT ON COLUMN public.call_summaries.event_time IS 'When Twilio emitted the greatest event of the call (CloudEvents time). Third part of the key. NULL: not said, which sorts lowest, or no event came.';
COMMENT ON COLUMN public.call_summaries.event_id IS 'CloudEvents id of the greatest event of the call. Fourth part of the key. NULL: not said, which sorts lowest, or no event came.';
COMMENT ON COLUMN public.call_summaries.event_source IS 'CloudEvents source of the greatest event of the call. NULL: not said, or no event came.';
COMMENT ON COLUMN public.call_summaries.dataschema IS 'CloudEvents dataschema of the greatest event of the call. NULL: not said, or no event came.';
COMMENT ON COLUMN public.call_summaries.url IS 'Address of the summary in the REST API, as it says itself. NULL: no REST summary was read.';
COMMENT ON COLUMN public.call_summaries.first_received_time IS 'When callsink first received an event of this call, or first read it from the REST API.';
COMMENT ON COLUMN public.call_summaries.last_received_time IS 'When callsink last received an event of this call, duplicates included, or last read it from the REST API.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'callsink_reader') THEN
        GRANT SELECT (summary_source, rest_observed_time) ON public.call_summaries TO callsink_reader;
    END IF;
END
$$;

-- Quicker than pglz at the same size; a PostgreSQL that was built without it does with pglz.
DO $$
BEGIN
    ALTER TABLE public.call_summaries ALTER COLUMN other_payload SET COMPRESSION lz4;
EXCEPTION
    WHEN feature_not_supported THEN
        RAISE NOTICE 'lz4 is not there: %', SQLERRM;
END
$$;
