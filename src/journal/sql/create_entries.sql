-- journal::open. WAL with synchronous=FULL syncs every commit; NORMAL would lose the last ones with the power.
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -4096;
PRAGMA journal_size_limit = 67108864;
BEGIN;
CREATE TABLE IF NOT EXISTS entries (
    position INTEGER PRIMARY KEY, -- given by the writer; without gaps, as deleting goes from the front
    received INTEGER NOT NULL,    -- microseconds since 1970-01-01 UTC
    body BLOB NOT NULL,           -- one event as it was verified
    checksum INTEGER              -- CRC-32 of position and received (8 bytes each, little-endian) and body
);
CREATE TABLE IF NOT EXISTS probe (    -- one row, written after trouble to see whether writing goes again
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);
PRAGMA application_id = 0x63730002; -- see journal::open
PRAGMA user_version = 2;
COMMIT;
