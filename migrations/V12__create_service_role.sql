-- A role with what `callsink serve` and the operators' commands need, and no more: it reads and writes rows. It can't create, alter or
-- drop anything, can't read the key of the pseudonyms, and can't rewrite the history of the schema.
--
-- Grant it to a login of the service's own; the owner of the schema then only runs `callsink migrate`. A database without it works as
-- before, with one login for both. Where the owner may not create roles, an administrator does, and the owner runs
-- SELECT callsink.grant_to_service().

DO $$
BEGIN
    CREATE ROLE callsink_service NOLOGIN;
    COMMENT ON ROLE callsink_service IS 'What callsink serve needs in a database that another role owns; GRANT it to the login of the service.';
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'callsink_service was not created: % may not create roles', current_user;
END
$$;

-- Tables of later migrations are covered by the default privileges; those in public need a GRANT of their own (a test says so).
CREATE FUNCTION callsink.grant_to_service() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    relation regclass;
BEGIN
    GRANT USAGE ON SCHEMA callsink, public TO callsink_service;
    FOR relation IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'callsink'::regnamespace
            AND relkind IN ('r', 'p')
            AND relname NOT IN ('schema_history', 'pseudonym_key')
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO callsink_service', relation);
    END LOOP;
    GRANT SELECT ON callsink.schema_history TO callsink_service;
    GRANT SELECT, INSERT, UPDATE, DELETE ON public.call_summaries TO callsink_service;
    GRANT EXECUTE ON FUNCTION callsink.create_archive_partition(date), callsink.drop_archive_partition(date) TO callsink_service;
    ALTER DEFAULT PRIVILEGES IN SCHEMA callsink GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO callsink_service;
END
$$;

COMMENT ON FUNCTION callsink.grant_to_service() IS 'Gives the role callsink_service the rights of the service, and the same for tables that its caller creates in schema callsink later. For the owner of the schema; may be called again at any time.';
REVOKE EXECUTE ON FUNCTION callsink.grant_to_service() FROM PUBLIC;

-- Partitions belong to the owner, whoever asks for them.
ALTER FUNCTION callsink.create_archive_partition(date) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION callsink.drop_archive_partition(date) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
REVOKE EXECUTE ON FUNCTION callsink.create_archive_partition(date), callsink.drop_archive_partition(date) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'callsink_service') THEN
        PERFORM callsink.grant_to_service();
    END IF;
END
$$;
