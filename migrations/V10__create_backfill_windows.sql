-- What has been read from Twilio's REST API, window by window, so that a backfill goes on where it was stopped.

CREATE TABLE callsink.backfill_windows (
    account_sid text NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    state text NOT NULL,
    pages bigint NOT NULL,
    listed bigint NOT NULL,
    inserted bigint NOT NULL,
    improved bigint NOT NULL,
    refused bigint NOT NULL,
    observed_time timestamptz NOT NULL,
    CONSTRAINT backfill_windows_pkey PRIMARY KEY (account_sid, window_start),
    CONSTRAINT backfill_windows_state_check CHECK (state IN ('reading', 'done'))
);

COMMENT ON TABLE callsink.backfill_windows IS 'Windows of time whose call summaries callsink backfill has read from Twilio''s REST API, one row per account and window, of the last reading.';
COMMENT ON COLUMN callsink.backfill_windows.account_sid IS 'Account that was asked for (AC...).';
COMMENT ON COLUMN callsink.backfill_windows.window_start IS 'Start of the window, inclusive: calls that started then or later.';
COMMENT ON COLUMN callsink.backfill_windows.window_end IS 'End of the window, exclusive.';
COMMENT ON COLUMN callsink.backfill_windows.state IS 'reading: begun and not finished, by a backfill that runs or was stopped. done: every page was read and its calls are in call_summaries.';
COMMENT ON COLUMN callsink.backfill_windows.pages IS 'Pages read, those read again included.';
COMMENT ON COLUMN callsink.backfill_windows.listed IS 'Different calls of this window that Twilio listed.';
COMMENT ON COLUMN callsink.backfill_windows.inserted IS 'Calls of these that had no row before.';
COMMENT ON COLUMN callsink.backfill_windows.improved IS 'Calls of these whose row became more final.';
COMMENT ON COLUMN callsink.backfill_windows.refused IS 'Summaries that could not be read, or that PostgreSQL refused for their content; they are not in call_summaries. 0 is the normal state.';
COMMENT ON COLUMN callsink.backfill_windows.observed_time IS 'When this reading began. A window read less than 45 minutes after its end is read again, as its summaries were not final.';
