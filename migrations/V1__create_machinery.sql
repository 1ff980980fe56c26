-- What callsink keeps beside the calls: raw events of other types, and what it could not understand.
--
-- Nothing authentic is thrown away: an event that has no table of its own is kept in callsink.events, one that could not
-- be read or stored in callsink.dead_letters, byte for byte. Both tables are keyed by a digest of the bytes, so that
-- Twilio's repeats and our own replays after a crash land on the row that is already there. The id of an event cannot be
-- the key: all test events of an account share one.

CREATE SCHEMA IF NOT EXISTS callsink;

COMMENT ON SCHEMA callsink IS 'The machinery of callsink: raw events of other types, dead letters, migration history. Analysts read the schema public.';

CREATE TABLE callsink.events (
    digest bytea NOT NULL,
    event_id text,
    event_type text NOT NULL,
    event_source text,
    dataschema text,
    event_time timestamptz,
    received_time timestamptz NOT NULL,
    data json,
    envelope json NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (digest)
);

-- Reading these events means asking for a type and a span of time.
CREATE INDEX events_event_type_received_time_idx ON callsink.events (event_type, received_time);

COMMENT ON TABLE callsink.events IS 'Authentic events that are not call summaries, raw: test events of the sink, other subscriptions, call summaries of an unknown kind. Source: Twilio Event Streams.';
COMMENT ON COLUMN callsink.events.digest IS 'SHA-256 of the event as received; repeats of an event land on the same row.';
COMMENT ON COLUMN callsink.events.event_id IS 'CloudEvents id. Not unique: all test events of an account carry the account SID. NULL: not said.';
COMMENT ON COLUMN callsink.events.event_type IS 'CloudEvents type, for example com.twilio.eventstreams.test-event.';
COMMENT ON COLUMN callsink.events.event_source IS 'CloudEvents source. NULL: not said.';
COMMENT ON COLUMN callsink.events.dataschema IS 'CloudEvents dataschema, which ends in the schema version. NULL: not said.';
COMMENT ON COLUMN callsink.events.event_time IS 'CloudEvents time: when Twilio emitted the event. NULL: not said.';
COMMENT ON COLUMN callsink.events.received_time IS 'When callsink first received the event.';
COMMENT ON COLUMN callsink.events.data IS 'The data of the event as JSON, also where Twilio sent it as a text that holds JSON. May hold personal data. NULL: none, or not JSON (then it is in envelope).';
COMMENT ON COLUMN callsink.events.envelope IS 'All members of the event other than data, as sent.';

CREATE TABLE callsink.dead_letters (
    digest bytea NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    sqlstate text,
    event_id text,
    event_type text,
    call_sid text,
    raw bytea NOT NULL,
    first_received_time timestamptz NOT NULL,
    last_received_time timestamptz NOT NULL,
    occurrences bigint NOT NULL,
    CONSTRAINT dead_letters_pkey PRIMARY KEY (digest, reason)
);

-- Looking after dead letters means looking at the newest.
CREATE INDEX dead_letters_last_received_time_idx ON callsink.dead_letters (last_received_time);

COMMENT ON TABLE callsink.dead_letters IS 'Authentic events that could not be read or stored whole, byte for byte, with the reason. Nothing here is lost; an empty table is the normal state.';
COMMENT ON COLUMN callsink.dead_letters.digest IS 'SHA-256 of raw; repeats of an event land on the same row.';
COMMENT ON COLUMN callsink.dead_letters.reason IS 'not_json, not_an_object, no_type, no_data, data_not_an_object, no_call_sid: could not be read. refused_by_database: PostgreSQL refused its content, see sqlstate. sanitised: its row was stored with U+FFFD in place of characters that PostgreSQL cannot hold; these are the original bytes.';
COMMENT ON COLUMN callsink.dead_letters.detail IS 'What exactly was wrong, for a person.';
COMMENT ON COLUMN callsink.dead_letters.sqlstate IS 'SQLSTATE with which PostgreSQL refused the event. NULL: it was not PostgreSQL.';
COMMENT ON COLUMN callsink.dead_letters.event_id IS 'CloudEvents id. NULL: not said or not readable.';
COMMENT ON COLUMN callsink.dead_letters.event_type IS 'CloudEvents type. NULL: not said or not readable.';
COMMENT ON COLUMN callsink.dead_letters.call_sid IS 'The call (CA...). NULL: not said or not readable.';
COMMENT ON COLUMN callsink.dead_letters.raw IS 'The event as received, byte for byte. May hold personal data.';
COMMENT ON COLUMN callsink.dead_letters.first_received_time IS 'When callsink first received it.';
COMMENT ON COLUMN callsink.dead_letters.last_received_time IS 'When callsink last received it.';
COMMENT ON COLUMN callsink.dead_letters.occurrences IS 'How often it was received; replays after a crash do not count.';

-- Quicker than pglz at the same size; a PostgreSQL that was built without it does with pglz.
DO $$
BEGIN
    ALTER TABLE callsink.events ALTER COLUMN data SET COMPRESSION lz4;
    ALTER TABLE callsink.events ALTER COLUMN envelope SET COMPRESSION lz4;
EXCEPTION
    WHEN feature_not_supported THEN
        RAISE NOTICE 'lz4 is not there: %', SQLERRM;
END
$$;
