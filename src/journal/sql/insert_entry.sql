-- journal::writer, journal::salvage
INSERT INTO entries (position, received, body, checksum) VALUES (?1, ?2, ?3, ?4)
