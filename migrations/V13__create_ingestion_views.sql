-- What dashboards of the ingestion need and callsink_reader may not read in the machinery: counts, never contents.
--
-- Dead letters hold raw events and the machinery is closed to BI tools; how many there are and why tells nothing of anybody.
-- The views run with the rights of their owner (security_invoker is off, the default), on purpose.

CREATE VIEW public.dead_letter_counts AS
SELECT
    date_trunc('hour', first_received_time, 'UTC') AS hour,
    reason,
    sqlstate,
    count(*) AS letters,
    sum(occurrences)::bigint AS occurrences,
    max(last_received_time) AS last_received_time
FROM callsink.dead_letters
GROUP BY 1, 2, 3;

COMMENT ON VIEW public.dead_letter_counts IS 'How many events could not be read or stored whole, by hour of their first arrival and reason; counts only, the events are in callsink.dead_letters. No rows is the normal state. A letter that callsink replay stored is counted no more.';
COMMENT ON COLUMN public.dead_letter_counts.hour IS 'Start of the hour, UTC, in which the event was first received.';
COMMENT ON COLUMN public.dead_letter_counts.reason IS 'not_json, not_an_object, no_type, no_data, data_not_an_object, no_call_sid: could not be read. refused_by_database: PostgreSQL refused its content. sanitised: its row was stored with U+FFFD in place of characters that PostgreSQL cannot hold.';
COMMENT ON COLUMN public.dead_letter_counts.sqlstate IS 'SQLSTATE with which PostgreSQL refused the events. NULL: it was not PostgreSQL.';
COMMENT ON COLUMN public.dead_letter_counts.letters IS 'Different events.';
COMMENT ON COLUMN public.dead_letter_counts.occurrences IS 'How often they were received, repeats included.';
COMMENT ON COLUMN public.dead_letter_counts.last_received_time IS 'When the last of them was last received.';

CREATE VIEW public.unknown_fields AS
SELECT path, schema_version, example_type, first_seen_time, last_seen_time, occurrences
FROM callsink.unknown_fields;

COMMENT ON VIEW public.unknown_fields IS 'Schema drift: fields of call-summary events that no column holds, one row per path and schema version; never a value. No rows is the normal state; a row means that Twilio has added a field: look for a newer callsink.';
COMMENT ON COLUMN public.unknown_fields.path IS 'Where the field stands in the event, members joined by dots: data.properties.new_thing. * stands for names that do not look like a field''s and may be data.';
COMMENT ON COLUMN public.unknown_fields.schema_version IS 'Version number at the end of the event''s dataschema. NULL: not said or not a number.';
COMMENT ON COLUMN public.unknown_fields.example_type IS 'JSON type of a value that was seen: text, number, boolean, object, array, null. Never the value.';
COMMENT ON COLUMN public.unknown_fields.first_seen_time IS 'When callsink first received it.';
COMMENT ON COLUMN public.unknown_fields.last_seen_time IS 'When callsink last received it, to about a minute.';
COMMENT ON COLUMN public.unknown_fields.occurrences IS 'How often it was received. Approximate: a crash of the service loses the last minute or counts it twice.';

DO $$
DECLARE
    reader text;
BEGIN
    FOREACH reader IN ARRAY ARRAY['callsink_reader', 'callsink_pii_reader'] LOOP
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
            EXECUTE format('GRANT SELECT ON public.dead_letter_counts, public.unknown_fields TO %I', reader);
        END IF;
    END LOOP;
END
$$;
