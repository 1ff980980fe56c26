-- journal::salvage
SELECT position, received, sum, body FROM stage
WHERE (position, received, sum) > (?1, ?2, ?3) AND position < ?4
ORDER BY position, received, sum LIMIT 1
