-- Calls whose personal data was erased, so that a late event does not bring it back; and how far a rebuild has come.
--
-- A SID is 128 random bits: its plain SHA-256 can't be turned back into it by trying, so no key has to be kept secret.

CREATE TABLE callsink.erased_calls (
    call_digest bytea NOT NULL,
    is_deleted boolean NOT NULL,
    erased_time timestamptz NOT NULL,
    CONSTRAINT erased_calls_pkey PRIMARY KEY (call_digest)
);

COMMENT ON TABLE callsink.erased_calls IS 'Calls that callsink erase was told to forget, by a digest of their SID. Whatever arrives of them later is erased in the same way as it is stored. Written by callsink erase, read with every batch.';
COMMENT ON COLUMN callsink.erased_calls.call_digest IS 'SHA-256 of call_sid.';
COMMENT ON COLUMN callsink.erased_calls.is_deleted IS 'True: no row is kept. False: the row is kept without personal data, and call_summaries.erased_time says so.';
COMMENT ON COLUMN callsink.erased_calls.erased_time IS 'When it was erased first.';

ALTER TABLE public.call_summaries ADD COLUMN erased_time timestamptz;

COMMENT ON COLUMN public.call_summaries.erased_time IS 'When callsink erase took the personal data out of this row: numbers, addresses, places, free text, and all of payload that no column holds. NULL: it did not.';

CREATE TABLE callsink.rebuilds (
    source text NOT NULL,
    schema_version integer NOT NULL,
    position text NOT NULL,
    calls_looked_at bigint NOT NULL,
    calls_changed bigint NOT NULL,
    started_time timestamptz NOT NULL,
    updated_time timestamptz NOT NULL,
    finished_time timestamptz,
    CONSTRAINT rebuilds_pkey PRIMARY KEY (source, schema_version)
);

COMMENT ON TABLE callsink.rebuilds IS 'How far callsink rebuild has come, so that it goes on where it stopped. Written by callsink rebuild.';
COMMENT ON COLUMN callsink.rebuilds.source IS 'payload: rows from their own payload. archive: rows from archived events.';
COMMENT ON COLUMN callsink.rebuilds.schema_version IS 'Schema version of the callsink that rebuilds; another version starts anew.';
COMMENT ON COLUMN callsink.rebuilds.position IS 'Everything up to here is done: a call_sid, or a partition of the archive and a block of it.';
COMMENT ON COLUMN callsink.rebuilds.calls_looked_at IS 'Rows read, or archived events.';
COMMENT ON COLUMN callsink.rebuilds.calls_changed IS 'Rows of which something changed.';
COMMENT ON COLUMN callsink.rebuilds.started_time IS 'When it was started.';
COMMENT ON COLUMN callsink.rebuilds.updated_time IS 'When position last moved.';
COMMENT ON COLUMN callsink.rebuilds.finished_time IS 'When it reached the end. NULL: it did not.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'callsink_reader') THEN
        GRANT SELECT (erased_time) ON public.call_summaries TO callsink_reader;
    END IF;
END
$$;
