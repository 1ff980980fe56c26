-- journal::open. From layout 1 to 2.
ALTER TABLE entries ADD COLUMN checksum INTEGER;
