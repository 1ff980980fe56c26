-- journal::writer. As large as a usual delivery, so that a disk with room for it has room for the next.
INSERT OR REPLACE INTO probe (id, body) VALUES (1, randomblob(32768))
