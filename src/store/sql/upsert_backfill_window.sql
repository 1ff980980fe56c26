-- store::Session::record_window
INSERT INTO callsink.backfill_windows (
    account_sid,
    window_start,
    window_end,
    state,
    pages,
    listed,
    inserted,
    improved,
    refused,
    observed_time
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (account_sid, window_start) DO UPDATE SET
    window_end = excluded.window_end,
    state = excluded.state,
    pages = excluded.pages,
    listed = excluded.listed,
    inserted = excluded.inserted,
    improved = excluded.improved,
    refused = excluded.refused,
    observed_time = excluded.observed_time
