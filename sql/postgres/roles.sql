-- A role that can read every table of takings, and write none. Run it once, as the owner of the database or
-- a superuser, after the first `takings run` (that one makes the tables); running it again does no harm:
--
--     psql -d takings -f sql/postgres/roles.sql
--
-- Then give each reader a login of its own, and `takings serve` one too:
--
--     CREATE ROLE dashboard LOGIN PASSWORD '…' IN ROLE takings_reader;
--     ALTER ROLE dashboard SET default_transaction_read_only = on;
--     ALTER ROLE dashboard SET statement_timeout = '30s';
--
-- `orders` (with --keep-orders), `corrections` and `rejected` hold what single customers bought. To keep those
-- from a reader, grant the totals one by one in place of ALL TABLES; `takings serve` needs `job`, `runs`, `views`, `sources`,
-- `removals` and `changed_days` with them.

DO $$
BEGIN
    CREATE ROLE takings_reader NOLOGIN;
EXCEPTION
    WHEN duplicate_object THEN NULL;
END
$$;

GRANT USAGE ON SCHEMA public TO takings_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO takings_reader;

-- Tables that a later version adds are readable as well: they will belong to the role that runs the job.
DO $$
DECLARE
    job_role name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.job'::regclass);
BEGIN
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public GRANT SELECT ON TABLES TO takings_reader',
                   job_role);
END
$$;
