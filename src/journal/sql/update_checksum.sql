-- journal::open
UPDATE entries SET checksum = ?2 WHERE position = ?1
