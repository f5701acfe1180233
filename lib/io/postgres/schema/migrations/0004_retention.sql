-- Deletes old rows in steps, each of which records how far it came: what is missing was deleted.

-- Where a step over the windows of [from_start, to_start) ends: after at most max_rows, but never in
-- the middle of a window, and not before the end of the first one.
create function step_end(from_start timestamptz, to_start timestamptz, max_rows integer)
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
      offset max_rows limit 1
    )
$$;

-- Deletes one step of the windows that are older than retention allows, and moves the horizon to
-- its end. Commits wait for it, so the steps are small. The clock that is furthest behind decides
-- what is old: this one, the worker's, or event time as far as it was counted.
create function expire_aggregates(
  retention_days integer,
  max_rows integer,
  worker_now timestamptz,
  out horizon timestamptz,
  out deleted_rows bigint,
  out is_done boolean
)
language plpgsql
as $$
declare
  event_time timestamptz;
  target timestamptz;
  gone_events bigint;
begin
  deleted_rows := 0;
  is_done := true;
  select max(max_event_time) into event_time from kafka_offsets;
  if event_time is null then
    return;
  end if;

  select
    aggregates_horizon,
    to_timestamp(
      floor(
        extract(
          epoch from least(now(), worker_now, event_time) - retention_days * interval '24 hours'
        ) / window_seconds
      ) * window_seconds
    )
  into strict horizon, target
  from pipeline;
  if horizon >= target then
    return;
  end if;

  -- Again, because another worker may have moved it while we waited.
  select aggregates_horizon into strict horizon from pipeline for update;
  if horizon >= target then
    return;
  end if;

  horizon := step_end('-infinity', target, max_rows);
  with gone as (
    delete from lottery_aggregates where window_start < horizon returning event_count
  )
  select count(*), coalesce(sum(event_count), 0) into deleted_rows, gone_events from gone;

  update pipeline
  set aggregates_horizon = horizon, deleted_events = deleted_events + gone_events;
  is_done := horizon = target;
end
$$;

-- Deletes one step of the dead letters that are older than retention allows. The clock that is
-- furthest behind decides what is old: this one, the worker's, or the newest time of an event or a
-- bad record. A letter whose record is young stays as well, because this clock may have been behind
-- when it was received; a record's time in the future is ignored. A letter that was replayed stays
-- as long as its window: it is the only evidence of where that count came from.
create function expire_dead_letters(
  retention_days integer,
  max_rows integer,
  worker_now timestamptz
) returns bigint
language sql
as $$
  with clocks as (
    select
      least(
        now(),
        worker_now,
        greatest(
          (select max(max_event_time) from kafka_offsets),
          (
            select max(record_timestamp)
            from (
              select record_timestamp from dead_letters order by received_at desc limit 100
            ) newest
          )
        )
      ) as today
  ),
  old as (
    select d.topic, d.partition, d.kafka_offset
    from clocks
    join dead_letters d on d.received_at < today - retention_days * interval '24 hours'
    where (d.record_timestamp between today - retention_days * interval '24 hours' and today)
        is not true
      and (
        d.replayed_at is null
        or d.replayed_window < (select aggregates_horizon from pipeline)
      )
    order by d.received_at
    limit max_rows
    for update of d skip locked
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
