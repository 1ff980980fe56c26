-- journal::writer. Writes the first page with what it holds already.
PRAGMA user_version = 1
