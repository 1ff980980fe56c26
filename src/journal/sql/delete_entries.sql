-- journal::writer
DELETE FROM entries WHERE position <= ?1
