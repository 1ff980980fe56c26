-- journal::salvage
INSERT OR IGNORE INTO stage (position, received, sum, body) VALUES (?1, ?2, ?3, ?4)
