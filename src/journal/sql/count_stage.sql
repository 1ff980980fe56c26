-- journal::salvage
SELECT count(DISTINCT position) FROM stage WHERE position BETWEEN ?1 AND ?2
