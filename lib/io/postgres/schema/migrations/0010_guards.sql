-- Guards against one clock that is wrong, and against transactions that do not see what others do.

-- As before, and refuses a transaction with a snapshot from its beginning, which does not see that
-- a window was published or deleted since.
create or replace function keep_horizon() returns trigger
language plpgsql
as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = '25000',
      message = format(
        'counts can be changed in read committed only, but this transaction is %s',
        current_setting('transaction_isolation')
      );
  end if;

  perform 1 from pipeline for key share;
  return null;
end
$$;

-- As before, but the clock that is furthest behind decides what is old: this one, the worker's, or
-- event time as far as it was counted. So one that is ahead deletes nothing.
create function expire_aggregates(
  retention_days integer,
  most_rows integer,
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

-- For workers of the version before, which do not tell their clock.
create or replace function expire_aggregates(
  retention_days integer,
  most_rows integer,
  out horizon timestamptz,
  out deleted_rows bigint,
  out is_done boolean
)
language sql
as $$
  select * from expire_aggregates(retention_days, most_rows, 'infinity')
$$;

-- As before, but the clock that is furthest behind decides what is old: this one, the worker's, or
-- the newest time of an event or a bad record. A letter whose record is young stays as well, because
-- this clock may have been behind when it was received. A record's time in the future is ignored.
create function expire_dead_letters(
  retention_days integer,
  most_rows integer,
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
    limit most_rows
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

-- For workers of the version before, which do not tell their clock.
create or replace function expire_dead_letters(retention_days integer, most_rows integer)
returns bigint
language sql
as $$
  select expire_dead_letters(retention_days, most_rows, 'infinity')
$$;

-- As before, but a note in the future does not prevent a new one, and notes are thinned only once
-- event time has passed them by a month as well.
create or replace function note_for_audit(of_topic text, partitions integer[], window_starts_ms bigint[])
returns void
language sql
as $$
  with noted as (
    insert into offset_history (topic, partition, next_offset, max_event_time, counted, dead)
    select o.topic, o.partition, o.next_offset, o.max_event_time, o.counted, o.dead
    from kafka_offsets o
    where o.topic = of_topic
      and o.partition = any (partitions)
      and not exists (
        select
        from offset_history h
        where h.topic = o.topic and h.partition = o.partition
          and h.at between now() - interval '10 minutes' and now() + interval '10 minutes'
      )
    on conflict do nothing
    returning topic, partition, max_event_time
  )
  delete from offset_history h
  using noted
  where h.topic = noted.topic and h.partition = noted.partition
    and h.at < now() - interval '30 days'
    and coalesce(h.max_event_time < noted.max_event_time - interval '30 days', true)
    and exists (
      select
      from offset_history earlier
      where earlier.topic = h.topic and earlier.partition = h.partition
        and earlier.at < h.at
        and earlier.at >= date_trunc('day', h.at at time zone 'UTC') at time zone 'UTC'
    );

  -- Half of what is allowed, because a worker's clock and this one may differ.
  insert into windows_ahead (window_start)
  select distinct to_timestamp(start_ms / 1000.0)
  from unnest(window_starts_ms) as counts (start_ms), pipeline p
  where to_timestamp(start_ms / 1000.0) > now() + make_interval(secs => p.max_future_seconds / 2.0)
  order by 1 -- so that no two commits wait for each other
  on conflict do nothing;
$$;
