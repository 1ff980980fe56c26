-- store::Session::record_coverage
INSERT INTO callsink.coverage_hours AS known (
    account_sid,
    hour,
    listed,
    present,
    missing,
    still_partial,
    healed,
    checked_time
)
SELECT
    new.account_sid,
    new.hour,
    new.listed,
    new.present,
    new.missing,
    new.still_partial,
    new.healed,
    $8
FROM unnest(
    $1::text[],
    $2::timestamptz[],
    $3::bigint[],
    $4::bigint[],
    $5::bigint[],
    $6::bigint[],
    $7::bigint[]
) AS new (
    account_sid,
    hour,
    listed,
    present,
    missing,
    still_partial,
    healed
)
ON CONFLICT (account_sid, hour) DO UPDATE SET
    listed = excluded.listed,
    present = excluded.present,
    missing = excluded.missing,
    still_partial = excluded.still_partial,
    healed = known.healed + excluded.healed,
    checked_time = excluded.checked_time
