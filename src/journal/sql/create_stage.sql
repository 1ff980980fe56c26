-- journal::salvage. Entries from bare pages; file and log may hold the same one.
PRAGMA synchronous = NORMAL;
CREATE TABLE stage (
    position INTEGER NOT NULL,
    received INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (position, received, sum)
);
BEGIN;
