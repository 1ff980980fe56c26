-- Two roles without login, to be granted to people and BI tools.
--
-- callsink_reader sees everything about quality and nothing that tells who called: no phone numbers, no IP addresses, no
-- payload. callsink_pii_reader sees those, too. Where the service's own user may not create roles (managed databases),
-- the schema still comes up: an administrator creates the two roles and repeats the grants of this file.
-- Roles belong to the whole cluster, so another database of it may have made them already, or be making them right now.

DO $$
BEGIN
    CREATE ROLE callsink_reader NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'callsink_reader was not created: % may not create roles', current_user;
END
$$;

DO $$
BEGIN
    CREATE ROLE callsink_pii_reader NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'callsink_pii_reader was not created: % may not create roles', current_user;
END
$$;

DO $$
DECLARE
    -- Columns that tell who called or from where.
    personal CONSTANT text[] := ARRAY[
        'from_caller', 'from_callee', 'from_ip_address', 'to_caller', 'to_callee', 'to_ip_address',
        'external_media_ip', 'external_signaling_ip', 'sip_call_id', 'trust_branded_call_caller',
        'annotation_comment', 'payload', 'edges'
    ];
    relation text;
    columns text;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'callsink_reader') THEN
        GRANT USAGE ON SCHEMA public TO callsink_reader;
        FOREACH relation IN ARRAY ARRAY['call_summaries', 'call_edge_metrics'] LOOP
            SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
            FROM pg_attribute
            WHERE attrelid = ('public.' || relation)::regclass
                AND attnum > 0 AND NOT attisdropped AND attname <> ALL (personal);
            EXECUTE format('GRANT SELECT (%s) ON public.%I TO callsink_reader', columns, relation);
        END LOOP;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'callsink_pii_reader') THEN
        GRANT USAGE ON SCHEMA public TO callsink_pii_reader;
        GRANT SELECT ON public.call_summaries, public.call_edge_metrics TO callsink_pii_reader;
    END IF;
END
$$;

-- A role that somebody else made may not be ours to comment on; the grants above stand all the same.
DO $$
BEGIN
    COMMENT ON ROLE callsink_reader IS 'Reads the quality of calls without personal data; GRANT it to BI users.';
    COMMENT ON ROLE callsink_pii_reader IS 'Reads calls with phone numbers, IP addresses and payloads; GRANT it sparingly.';
EXCEPTION
    WHEN insufficient_privilege OR undefined_object THEN
        RAISE NOTICE 'the reader roles carry no comment: %', SQLERRM;
END
$$;
