-- journal::reader
SELECT position, received, body, checksum FROM entries WHERE position > ?1 ORDER BY position LIMIT ?2
