-- Dead letters can be replayed, and old rows be deleted. What is deleted is recorded with the
-- deletion, so that nobody takes what is missing for what never was.

alter table pipeline
  -- Windows that start before it are deleted, and no others. Never falls.
  add column aggregates_horizon timestamptz,
  -- The books still balance: sum(event_count) + deleted_events = sum(counted) + replayed_letters.
  add column deleted_events bigint not null default 0,
  add column replayed_letters bigint not null default 0;

alter table dead_letters
  -- Null until the letter was replayed: the value that was counted then (the letter's own, or a
  -- repaired one), and the window that it was counted into.
  add column replayed_at timestamptz,
  add column replayed_value bytea,
  add column replayed_window timestamptz;

-- Dead letters deleted for their age. In the books: the number of dead letters + sum(deleted) = sum(dead).
create table dead_letter_horizons (
  topic text not null,
  partition integer not null,
  -- Letters below it may be missing; from it on none is.
  horizon_offset bigint not null,
  deleted bigint not null,
  primary key (topic, partition)
);

-- Whoever adds counts keeps the pipeline row as it is until the end of the transaction. So who
-- moves the horizon, and locks the row for that, comes before or after, but never in between.
create function keep_horizon() returns trigger
language plpgsql
as $$
begin
  perform 1 from pipeline for key share;
  return null;
end
$$;

create trigger keep_horizon
  before insert or update on lottery_aggregates
  for each statement execute function keep_horizon();

-- A deleted window does not come back with the few events that were late: whoever tries, with
-- whatever version of the program, is fenced as by a moved offset, and reads the horizon.
create function refuse_deleted_windows() returns trigger
language plpgsql
as $$
declare
  oldest timestamptz;
begin
  select min(added.window_start) into oldest
  from added join pipeline on added.window_start < pipeline.aggregates_horizon;

  if oldest is not null then
    raise exception using
      errcode = 'LE001',
      message = format('the window that starts at %s is deleted', oldest);
  end if;
  return null;
end
$$;

create trigger refuse_deleted_windows
  after insert on lottery_aggregates
  referencing new table as added
  for each statement execute function refuse_deleted_windows();

-- Where a step over the windows of [from_start, to_start) ends: after at most so many rows, but
-- never in the middle of a window, and not before the end of the first one.
create function step_end(from_start timestamptz, to_start timestamptz, most_rows integer)
returns timestamptz
language sql stable
as $$
  select coalesce(min(window_start), to_start)
  from lottery_aggregates
  where window_start < to_start
    and window_start > (
      select min(window_start) from lottery_aggregates where window_start >= from_start
    )
    and window_start >= (
      select window_start
      from lottery_aggregates
      where window_start >= from_start and window_start < to_start
      order by window_start
      offset most_rows limit 1
    )
$$;

-- Deletes one step of the windows that are older than retention allows, and moves the horizon to
-- its end. Commits wait for it, so the steps are small.
create function expire_aggregates(
  retention_days integer,
  most_rows integer,
  out horizon timestamptz,
  out deleted_rows bigint,
  out is_done boolean
)
language plpgsql
as $$
declare
  target timestamptz;
  gone_events bigint;
begin
  select
    aggregates_horizon,
    to_timestamp(
      floor(extract(epoch from now() - retention_days * interval '24 hours') / window_seconds)
        * window_seconds
    )
  into strict horizon, target
  from pipeline;
  deleted_rows := 0;
  is_done := true;
  if horizon >= target then
    return;
  end if;

  -- Again, because another worker may have moved it while we waited.
  select aggregates_horizon into strict horizon from pipeline for update;
  if horizon >= target then
    return;
  end if;

  horizon := step_end('-infinity', target, most_rows);
  with gone as (
    delete from lottery_aggregates where window_start < horizon returning event_count
  )
  select count(*), coalesce(sum(event_count), 0) into deleted_rows, gone_events from gone;

  update pipeline
  set aggregates_horizon = horizon, deleted_events = deleted_events + gone_events;
  is_done := horizon = target;
end
$$;

-- Deletes one step of the dead letters that are older than retention allows. One that was replayed
-- stays as long as its window: without it nobody could say where that count came from.
create function expire_dead_letters(retention_days integer, most_rows integer) returns bigint
language sql
as $$
  with old as (
    select d.topic, d.partition, d.kafka_offset
    from dead_letters d
    where d.received_at < now() - retention_days * interval '24 hours'
      and (
        d.replayed_at is null
        or d.replayed_window < (select aggregates_horizon from pipeline)
      )
    order by d.received_at
    limit most_rows
    for update skip locked
  ),
  gone as (
    delete from dead_letters d
    using old
    where (d.topic, d.partition, d.kafka_offset) = (old.topic, old.partition, old.kafka_offset)
    returning d.topic, d.partition, d.kafka_offset
  ),
  recorded as (
    insert into dead_letter_horizons as h (topic, partition, horizon_offset, deleted)
    select topic, partition, max(kafka_offset) + 1, count(*)
    from gone
    group by topic, partition
    order by topic, partition
    on conflict (topic, partition) do update set
      horizon_offset = greatest(h.horizon_offset, excluded.horizon_offset),
      deleted = h.deleted + excluded.deleted
  )
  select count(*) from gone
$$;

-- Counts dead letters as the events that they were judged to be, each at most once however often
-- and by however many it is tried. Returns those that were counted now: not those that are gone,
-- were replayed before, or whose window is deleted.
create function replay_dead_letters(
  of_topic text,
  partitions integer[],
  offsets bigint[],
  used_values bytea[],
  window_starts_ms bigint[],
  lottery_names text[],
  event_types text[]
) returns table (replayed_partition integer, replayed_offset bigint)
language plpgsql
as $$
declare
  window_size interval;
  horizon timestamptz;
begin
  -- One replay at a time, and none while the horizon moves.
  select make_interval(secs => window_seconds), coalesce(aggregates_horizon, '-infinity')
  into strict window_size, horizon
  from pipeline
  for no key update;

  return query
  with replay as (
    select
      partition, kafka_offset, used_value, to_timestamp(start_ms / 1000.0) as window_start,
      lottery_name, event_type
    from unnest(partitions, offsets, used_values, window_starts_ms, lottery_names, event_types)
      as replays (partition, kafka_offset, used_value, start_ms, lottery_name, event_type)
  ),
  marked as (
    update dead_letters d set
      replayed_at = now(),
      replayed_value = replay.used_value,
      replayed_window = replay.window_start
    from replay
    where d.topic = of_topic
      and d.partition = replay.partition
      and d.kafka_offset = replay.kafka_offset
      and d.replayed_at is null
      and replay.window_start >= horizon
    returning d.partition, d.kafka_offset, replay.window_start, replay.lottery_name, replay.event_type
  ),
  counted as (
    insert into lottery_aggregates as a
      (window_start, window_end, lottery_name, event_type, event_count)
    select window_start, window_start + window_size, lottery_name, event_type, count(*)
    from marked
    group by window_start, lottery_name, event_type
    order by window_start, lottery_name, event_type
    on conflict (window_start, lottery_name, event_type) do update
      set event_count = a.event_count + excluded.event_count, updated_at = now()
  ),
  noted as (
    update pipeline set replayed_letters = replayed_letters + (select count(*) from marked)
  )
  select partition, kafka_offset from marked;
end
$$;
