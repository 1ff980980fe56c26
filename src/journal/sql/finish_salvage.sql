-- journal::salvage. All of it into the file and onto the disk before the file gets its name.
DROP TABLE stage;
COMMIT;
PRAGMA synchronous = FULL;
PRAGMA wal_checkpoint(TRUNCATE);
