-- journal::writer
INSERT INTO entries (position, received, body) VALUES (?1, ?2, ?3)
