-- What the publisher does besides sending what stands in the outbox.

-- A restored database would draw revisions that consumers already have. So a worker that begins to
-- publish raises the sequence to the time in microseconds, which no revision has reached yet, and
-- draws new revisions for what is waiting (few rows: the outbox is filled as it empties). Nobody
-- else draws meanwhile, because commits keep the pipeline row.
create function renew_revisions() returns void
language plpgsql
as $$
begin
  perform 1 from pipeline for update;
  perform setval(
    'count_revisions',
    greatest(last_value, floor(extract(epoch from clock_timestamp()) * 1000000)::bigint)
  )
  from count_revisions;
  update outbox set revision = nextval('count_revisions');
end
$$;

-- Puts one step of the windows that were closed since the last one into the outbox. Commits wait
-- for it, so the steps are small. True if nothing is left to be put there.
create function fill_outbox(max_rows integer) returns boolean
language plpgsql
as $$
declare
  start_from timestamptz;
  target timestamptz;
  step timestamptz;
begin
  perform 1 from pipeline where closed_up_to > coalesce(outbox_up_to, '-infinity');
  if not found then
    return true;
  end if;

  select coalesce(outbox_up_to, '-infinity'), closed_up_to
  into strict start_from, target
  from pipeline
  for update;
  if start_from >= target then -- another worker was faster
    return true;
  end if;

  step := step_end(start_from, target, max_rows);
  insert into outbox
    (window_start, window_end, lottery_name, event_type, event_count, revision)
  select
    window_start, window_end, lottery_name, event_type, event_count, nextval('count_revisions')
  from lottery_aggregates
  where window_start >= start_from and window_start < step
  on conflict (window_start, lottery_name, event_type) do update
    set event_count = excluded.event_count, revision = excluded.revision;

  update pipeline set outbox_up_to = step;
  return step = target;
end
$$;

-- Which database this is, and what each failover made of it: its server's identifier and timeline,
-- if the role may ask for them. A copy restored into the same server has another oid.
--
-- A database that has lost what it had committed, by a failover to a standby that was behind or by
-- a restored backup, may have published counts that it no longer has. So the publisher compares the
-- output topic with the table whenever this changes.
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

-- Puts rows of counts into the outbox again, as they are.
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
      on a.window_start = ms_to_time(keys.start_ms)
      and a.lottery_name = keys.lottery_name
      and a.event_type = keys.event_type
    order by a.window_start, a.lottery_name, a.event_type
    for no key update of a
  ) locked
  on conflict (window_start, lottery_name, event_type) do update
    set event_count = excluded.event_count, revision = excluded.revision;
end
$$;
