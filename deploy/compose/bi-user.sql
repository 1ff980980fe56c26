-- Creates, or updates, the login of BI tools: it reads the quality of calls, and no phone numbers or IP addresses.
-- Run by the service `bi-user` of docker-compose.yml with BI_USER and BI_PASSWORD; can be run as often as you like.

\getenv bi_user BI_USER
\getenv bi_password BI_PASSWORD

SELECT length(:'bi_password') < 12 AS too_short \gset
\if :too_short
    DO $$ BEGIN RAISE EXCEPTION 'BI_PASSWORD is not set, or shorter than 12 characters: put one into .env'; END $$;
\endif

-- Somebody who writes BI_USER=callsink would otherwise change the password under the running service.
SELECT count(*) > 0 AS taken
FROM pg_roles
WHERE rolname = :'bi_user' AND (rolsuper OR rolcreaterole OR rolname LIKE 'callsink%') \gset
\if :taken
    DO $$ BEGIN RAISE EXCEPTION 'BI_USER names a role of the service itself: choose another name'; END $$;
\endif

-- The migrations make this role, too; whoever comes first is fine.
DO $$
BEGIN
    CREATE ROLE callsink_reader NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

SELECT format('CREATE ROLE %I', :'bi_user')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'bi_user') \gexec

SELECT format('ALTER ROLE %I WITH LOGIN PASSWORD %L', :'bi_user', :'bi_password') \gexec
SELECT format('GRANT callsink_reader TO %I', :'bi_user') \gexec

-- A dashboard that asks too much must not hold the tables for hours.
SELECT format('ALTER ROLE %I SET statement_timeout = %L', :'bi_user', '5min') \gexec
SELECT format('ALTER ROLE %I SET default_transaction_read_only = on', :'bi_user') \gexec

\echo The login :bi_user can read everything in the schema public, without personal data.
