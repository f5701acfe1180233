-- A database that has lost what it had committed, by a failover to a standby that was behind or by
-- a restored backup, may have published counts that it does not have any more. So the publisher
-- compares the output topic with the table whenever the database has become another one.

alter table pipeline
  -- The database that the output was last compared with; null: it is to be compared.
  add column output_compared_with text;

-- What a database is, and what it became by each failover: its server's name and timeline, where
-- these may be asked. A copy restored into another database of the same server has other tables.
create function database_version() returns text
language plpgsql stable
as $$
declare
  timeline text;
begin
  begin
    timeline := (select system_identifier from pg_control_system())::text
      || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8);
  exception
    when others then
      timeline := 'unknown';
  end;
  return timeline || '/' || 'pipeline'::regclass::oid::text;
end
$$;

-- Puts rows of the table into the outbox once more, as they are.
create function publish_again(
  window_starts_ms bigint[],
  lottery_names text[],
  event_types text[]
) returns void
language plpgsql
as $$
begin
  perform 1 from pipeline for key share;

  insert into outbox
    (window_start, window_end, lottery_name, event_type, event_count, revision)
  select
    window_start, window_end, lottery_name, event_type, event_count, nextval('count_revisions')
  from (
    select a.*
    from unnest(window_starts_ms, lottery_names, event_types)
      as keys (start_ms, lottery_name, event_type)
    join lottery_aggregates a
      on a.window_start = to_timestamp(keys.start_ms / 1000.0)
      and a.lottery_name = keys.lottery_name
      and a.event_type = keys.event_type
    order by a.window_start, a.lottery_name, a.event_type
    for no key update of a
  ) locked
  on conflict (window_start, lottery_name, event_type) do update
    set event_count = excluded.event_count, revision = excluded.revision;
end
$$;
