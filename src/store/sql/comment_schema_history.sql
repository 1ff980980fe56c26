-- store::migrate. The table is refinery's, so its comments can't stand in a migration.
COMMENT ON TABLE callsink.schema_history IS 'Migrations applied to this database, kept by refinery.';
COMMENT ON COLUMN callsink.schema_history.version IS 'Number of the migration.';
COMMENT ON COLUMN callsink.schema_history.name IS 'Name of the migration.';
COMMENT ON COLUMN callsink.schema_history.applied_on IS 'When it was applied, RFC 3339.';
COMMENT ON COLUMN callsink.schema_history.checksum IS 'Checksum of its text; a changed migration is refused.';
