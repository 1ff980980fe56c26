-- Every accepted event as it came, where the setting CALLSINK_ARCHIVE is on; one partition per day, dropped whole.
--
-- No index and no key: nothing looks up single events here, and an append-only heap is the cheapest thing to write to. What is
-- read is read in order of pages. A replay after a crash may archive an event a second time, which does no harm: rebuilding
-- from repeats gives the same rows. What no partition takes (a clock far off, a service that could not create one in time)
-- goes to the default partition, so that archiving never blocks ingestion.

CREATE TABLE callsink.archive (
    received_time timestamptz NOT NULL,
    call_sid text,
    raw bytea NOT NULL
) PARTITION BY RANGE (received_time);

COMMENT ON TABLE callsink.archive IS 'Every accepted event, byte for byte, where CALLSINK_ARCHIVE is on; one partition per day (UTC) of received_time. May hold an event twice. Source of callsink rebuild --from-archive.';
COMMENT ON COLUMN callsink.archive.received_time IS 'When callsink received the event.';
COMMENT ON COLUMN callsink.archive.call_sid IS 'The call (CA...) that the event is a summary of. NULL: another event, or not readable.';
COMMENT ON COLUMN callsink.archive.raw IS 'The event as received, byte for byte. Holds personal data.';

-- Quicker than pglz at the same size; a PostgreSQL that was built without it does with pglz.
DO $$
BEGIN
    ALTER TABLE callsink.archive ALTER COLUMN raw SET COMPRESSION lz4;
EXCEPTION
    WHEN feature_not_supported THEN
        RAISE NOTICE 'lz4 is not there: %', SQLERRM;
END
$$;

CREATE TABLE callsink.archive_default (LIKE callsink.archive INCLUDING ALL);
ALTER TABLE callsink.archive ATTACH PARTITION callsink.archive_default DEFAULT;

COMMENT ON TABLE callsink.archive_default IS 'Archived events whose day has no partition; normally empty.';

-- Attaching a table locks callsink.archive in a mode that lets others insert, and the default partition whole, shortly.
CREATE FUNCTION callsink.create_archive_partition(day date) RETURNS boolean
LANGUAGE plpgsql
SET lock_timeout = '2s'
SET timezone = 'UTC'
AS $$
DECLARE
    name CONSTANT text := 'archive_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass('callsink.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE callsink.archive_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE callsink.%I (LIKE callsink.archive INCLUDING ALL)', name);
    EXECUTE format('COMMENT ON TABLE callsink.%I IS %L', name, 'Archived events received on ' || day || ' (UTC).');
    EXECUTE format(
        'WITH moved AS (DELETE FROM callsink.archive_default WHERE received_time >= %L AND received_time < %L RETURNING *) '
        'INSERT INTO callsink.%I SELECT * FROM moved',
        day::timestamptz, (day + 1)::timestamptz, name
    );
    EXECUTE format(
        'ALTER TABLE callsink.archive ATTACH PARTITION callsink.%I FOR VALUES FROM (%L) TO (%L)',
        name, day::timestamptz, (day + 1)::timestamptz
    );
    RETURN true;
EXCEPTION
    WHEN duplicate_table THEN
        RETURN false; -- another replica was quicker
END
$$;

COMMENT ON FUNCTION callsink.create_archive_partition(date) IS 'Creates the partition of callsink.archive for a day (UTC), and moves what the default partition has of that day; false where it is there already. Waits at most two seconds for locks.';

-- One at a time, so that the lock on callsink.archive is held for one DROP and not for all.
CREATE FUNCTION callsink.drop_archive_partition(before date, OUT day date, OUT events bigint) RETURNS record
LANGUAGE plpgsql
SET lock_timeout = '2s'
AS $$
DECLARE
    oldest record;
BEGIN
    SELECT part.oid::regclass AS name, to_date(right(part.relname, 8), 'YYYYMMDD') AS part_day, part.reltuples INTO oldest
    FROM pg_inherits
    INNER JOIN pg_class AS part ON part.oid = inhrelid
    WHERE inhparent = 'callsink.archive'::regclass
        AND part.relname ~ '^archive_[0-9]{8}$'
        AND to_date(right(part.relname, 8), 'YYYYMMDD') < before
    ORDER BY part.relname
    LIMIT 1;
    IF oldest.name IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('DROP TABLE %s', oldest.name);
    day := oldest.part_day;
    events := GREATEST(oldest.reltuples, 0);
END
$$;

COMMENT ON FUNCTION callsink.drop_archive_partition(date) IS 'Drops the oldest partition of callsink.archive that lies wholly before a day (UTC), and says which and about how many events it had; NULL: there is none. Waits at most two seconds for locks.';

-- Retention deletes by age alone, whatever the type.
CREATE INDEX events_received_time_idx ON callsink.events (received_time);

-- Key figures outlive the calls that retention deletes.
ALTER TABLE callsink.kpi_refresh ADD COLUMN frozen_before timestamptz;

COMMENT ON COLUMN callsink.kpi_refresh.frozen_before IS 'Rollups of hours before this stay as they were computed last, because CALLSINK_CALLS_DAYS has deleted calls of these hours; a call that comes in for one of them later is not counted. NULL: nothing is frozen. To thaw (the rollups then count only calls that are still there): set it to NULL and mark the hours in callsink.dirty_hours.';
