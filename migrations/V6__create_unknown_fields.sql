-- Fields that Twilio sends and the schema does not know, so that a new one is noticed the day it comes.
--
-- Their values are in call_summaries.payload already; here stand where, since when and how often, never a value. Members
-- whose names do not look like a field's (digits, addresses: an object used as a map) are counted under the name *.
-- The service stops adding rows at a thousand.

CREATE TABLE callsink.unknown_fields (
    path text NOT NULL,
    schema_version integer,
    example_type text NOT NULL,
    first_seen_time timestamptz NOT NULL,
    last_seen_time timestamptz NOT NULL,
    occurrences bigint NOT NULL,
    CONSTRAINT unknown_fields_path_schema_version_key UNIQUE NULLS NOT DISTINCT (path, schema_version)
);

COMMENT ON TABLE callsink.unknown_fields IS 'Fields of call-summary events that no column holds, one row per path and schema version. Their values are in call_summaries.payload. A row here means that Twilio has added a field: look for a newer callsink. At most 1000 rows.';
COMMENT ON COLUMN callsink.unknown_fields.path IS 'Where the field stands in the event, members joined by dots: data.properties.new_thing. * stands for names that do not look like a field''s and may be data.';
COMMENT ON COLUMN callsink.unknown_fields.schema_version IS 'Version number at the end of the event''s dataschema. NULL: not said or not a number.';
COMMENT ON COLUMN callsink.unknown_fields.example_type IS 'JSON type of a value that was seen: text, number, boolean, object, array, null. Never the value.';
COMMENT ON COLUMN callsink.unknown_fields.first_seen_time IS 'When callsink first received it.';
COMMENT ON COLUMN callsink.unknown_fields.last_seen_time IS 'When callsink last received it, to about a minute.';
COMMENT ON COLUMN callsink.unknown_fields.occurrences IS 'How often it was received. Approximate: a crash of the service loses the last minute or counts it twice.';
