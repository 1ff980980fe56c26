-- journal::reader, layout 1
SELECT position, received, body, NULL FROM entries WHERE position > ?1 ORDER BY position LIMIT ?2
