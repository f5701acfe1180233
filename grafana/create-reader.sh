#!/bin/sh
# Creates the role that Grafana reads with. The database container runs this when its volume is new.
# To change the password, run it again:
#   docker compose exec postgres sh /docker-entrypoint-initdb.d/create-reader.sh
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=password="$GRAFANA_DB_PASSWORD" \
  --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
select 'create role grafana'
where not exists (select from pg_roles where rolname = 'grafana')
\gexec

alter role grafana login password :'password';
-- A panel over too long a range must not slow down commits.
alter role grafana set statement_timeout = '30s';
-- The planner expects far more rows of lottery_totals and lottery_counts than there are. Compiling
-- their queries would take longer than to run them.
alter role grafana set jit = off;

-- Existing tables, and those that the worker's migrations will create.
grant usage on schema public to grafana;
grant select on all tables in schema public to grafana;
alter default privileges in schema public grant select on tables to grafana;
SQL
