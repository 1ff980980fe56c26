-- journal::inspect
SELECT position, received, body FROM entries WHERE position = ?1
