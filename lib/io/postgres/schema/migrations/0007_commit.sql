-- The commit, which also counts by the hour.

-- Stores counts, dead letters and offsets in one transaction, or nothing.
--
-- The offset rows are locked first, in one order, and all of them must stand at their expected
-- offset and epoch before anything is written. Nothing weaker will do: with writes beside the check
-- (data-modifying CTEs), one fenced partition of two let the other one's offset move without its
-- counts.
--
-- Arrays of one group have one element per row; times are milliseconds since the epoch.
-- What is written goes in the order of its keys, so that no two commits wait for each other.
create or replace function commit_counts(
  of_topic text,
  of_epoch bigint,
  -- No event time is stored as a later one, so that one clock that is wrong cannot close every window.
  latest_ms bigint default null,
  partitions integer[] default '{}',
  expected_offsets bigint[] default '{}',
  next_offsets bigint[] default '{}',
  counted_records bigint[] default '{}',
  dead_records bigint[] default '{}',
  max_event_times_ms bigint[] default '{}',
  batch_offsets bigint[] default '{}',
  batch_crcs bigint[] default '{}',
  are_caught_up boolean[] default '{}',
  window_starts_ms bigint[] default '{}',
  lottery_names text[] default '{}',
  event_types text[] default '{}',
  event_counts bigint[] default '{}',
  dead_partitions integer[] default '{}',
  dead_offsets bigint[] default '{}',
  dead_reasons text[] default '{}',
  dead_timestamps_ms bigint[] default '{}',
  dead_keys bytea[] default '{}',
  dead_values bytea[] default '{}',
  -- These end with the last letter that has headers, or was cut; null means none.
  dead_headers jsonb[] default '{}',
  dead_key_sizes bigint[] default '{}',
  dead_value_sizes bigint[] default '{}',
  dead_headers_sizes bigint[] default '{}',
  dead_record_sha256s bytea[] default '{}'
) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
  fitting integer;
  window_size interval;
  max_future interval;
  horizon timestamptz;
  published_up_to timestamptz;
  in_hours_from timestamptz;
  oldest timestamptz;
  come_again boolean;
begin
  -- A snapshot from the beginning of the transaction does not show that another one has moved an
  -- offset, or deleted or published a window since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = '25000',
      message = format(
        'counts can be changed in read committed only, but this transaction is %s',
        current_setting('transaction_isolation')
      );
  end if;

  -- The fence.
  select count(*) into fitting
  from (
    select o.partition, o.next_offset, o.epoch
    from kafka_offsets o
    where o.topic = of_topic and o.partition = any (partitions)
    order by o.partition
    for update
  ) locked
  join unnest(partitions, expected_offsets) as expected (partition, next_offset)
    using (partition, next_offset)
  where locked.epoch = of_epoch;

  if fitting <> cardinality(partitions) then
    raise exception using
      errcode = 'LE001',
      message = format(
        'only %s of %s partitions stand at their expected offset',
        fitting, cardinality(partitions)
      );
  end if;

  -- The horizon. It, outbox_up_to and hours_from only move under a lock on the pipeline row, so either before or
  -- after this transaction. A deleted window does not come back with a few late events: the commit
  -- is fenced as by a moved offset, and the worker reads the horizon.
  select
    make_interval(secs => p.window_seconds), make_interval(secs => p.max_future_seconds),
    p.aggregates_horizon, p.outbox_up_to, coalesce(p.hours_from, '-infinity')
  into strict window_size, max_future, horizon, published_up_to, in_hours_from
  from pipeline p
  for key share;

  select ms_to_time(min(start_ms)) into oldest
  from unnest(window_starts_ms) as starts (start_ms);

  if oldest < horizon then
    raise exception using
      errcode = 'LE001',
      message = format('the window that starts at %s is deleted', oldest);
  end if;

  -- Counts; and where they change a window that was published, its new numbers for the publisher.
  with counted as (
    insert into lottery_aggregates as a
      (window_start, window_end, lottery_name, event_type, event_count)
    select
      ms_to_time(start_ms), ms_to_time(start_ms) + window_size,
      lottery_name, event_type, event_count
    from unnest(window_starts_ms, lottery_names, event_types, event_counts)
      as counts (start_ms, lottery_name, event_type, event_count)
    order by start_ms, lottery_name, event_type
    on conflict (window_start, lottery_name, event_type) do update
      set event_count = a.event_count + excluded.event_count, updated_at = now()
    returning window_start, window_end, lottery_name, event_type, event_count
  )
  insert into outbox
    (window_start, window_end, lottery_name, event_type, event_count, revision)
  select
    window_start, window_end, lottery_name, event_type, event_count, nextval('count_revisions')
  from counted
  where window_start < published_up_to
  order by window_start, lottery_name, event_type
  on conflict (window_start, lottery_name, event_type) do update
    set event_count = excluded.event_count, revision = excluded.revision;

  -- The same counts by the hour. Windows before hours_from are put there later, with what is added to
  -- them until then.
  insert into lottery_hours as h (hour_start, lottery_name, event_type, event_count)
  select
    ms_to_time(start_ms - start_ms % 3600000) as hour_start, lottery_name, event_type,
    sum(event_count)
  from unnest(window_starts_ms, lottery_names, event_types, event_counts)
    as counts (start_ms, lottery_name, event_type, event_count)
  where ms_to_time(start_ms) >= in_hours_from
  group by 1, lottery_name, event_type
  order by 1, lottery_name, event_type
  on conflict (hour_start, lottery_name, event_type) do update
    set event_count = h.event_count + excluded.event_count;

  -- Dead letters. Those that are stored already, because an offset was taken back by hand, stay as
  -- they are; of records that claim one offset the first is kept. The locked offsets keep others from
  -- adding any, so that neither is searched for unless there can be one: `on conflict do nothing`
  -- would make each letter take half as long again.
  if cardinality(dead_offsets) > 0 then
    select
      exists (
        select
        from unnest(partitions, expected_offsets) as moved (partition, expected_offset)
        where expected_offset <= (
          select max(d.kafka_offset)
          from dead_letters d
          where d.topic = of_topic and d.partition = moved.partition
        )
      )
      or exists (
        select
        from unnest(dead_partitions, dead_offsets) as letters (partition, kafka_offset)
        group by partition, kafka_offset
        having count(*) > 1
      )
    into come_again;

    insert into dead_letters (
      topic, partition, kafka_offset, reason, record_timestamp, key, value, headers,
      key_size, value_size, headers_size, record_sha256, content_sha256
    )
    select
      of_topic, l.partition, l.kafka_offset, l.reason, l.record_timestamp, l.key, l.value, l.headers,
      l.key_size, l.value_size, l.headers_size, l.record_sha256,
      letter_sha256(
        l.record_timestamp, l.key, l.value, l.headers, l.key_size, l.value_size, l.headers_size,
        l.record_sha256
      )
    from (
      select
        partition, kafka_offset, reason, ms_to_time(timestamp_ms) as record_timestamp,
        key, value, coalesce(headers, '[]') as headers,
        key_size, value_size, headers_size, record_sha256, number
      from unnest(
        dead_partitions, dead_offsets, dead_reasons, dead_timestamps_ms, dead_keys, dead_values,
        dead_headers, dead_key_sizes, dead_value_sizes, dead_headers_sizes, dead_record_sha256s
      ) with ordinality as letters (
        partition, kafka_offset, reason, timestamp_ms, key, value,
        headers, key_size, value_size, headers_size, record_sha256, number
      )
    ) l
    where not come_again
      or (
        l.number in (
          select min(number)
          from unnest(dead_partitions, dead_offsets) with ordinality
            as letters (partition, kafka_offset, number)
          group by partition, kafka_offset
        )
        and not exists (
          select
          from dead_letters d
          where d.topic = of_topic
            and d.partition = l.partition
            and d.kafka_offset = l.kafka_offset
        )
      );
  end if;

  -- Notes for audit: where the partitions stood before this commit, every ten minutes (a note in the
  -- future, of a clock that was ahead, does not prevent one). With each new note, older ones are
  -- thinned to one a day once they are a month old by clock and event time: Kafka seldom holds so
  -- much, and if it does, audit proves what begins a day later at most.
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

  -- Windows beyond the event time that is stored; or nearly, because clocks differ.
  insert into windows_ahead (window_start)
  select distinct ms_to_time(start_ms)
  from unnest(window_starts_ms) as starts (start_ms)
  where start_ms > latest_ms or ms_to_time(start_ms) > now() + max_future / 2
  order by 1
  on conflict do nothing;

  -- Offsets.
  update kafka_offsets o set
    next_offset = moved.next_offset,
    counted = o.counted + moved.counted,
    dead = o.dead + moved.dead,
    max_event_time = greatest(
      o.max_event_time,
      ms_to_time(
        case
          when moved.max_event_time_ms > latest_ms then latest_ms else moved.max_event_time_ms
        end
      )
    ),
    last_batch_offset = coalesce(moved.batch_offset, o.last_batch_offset),
    last_batch_crc = coalesce(moved.batch_crc, o.last_batch_crc),
    caught_up_at = case when moved.is_caught_up then now() else o.caught_up_at end,
    updated_at = case when moved.next_offset > o.next_offset then now() else o.updated_at end
  from unnest(
    partitions, next_offsets, counted_records, dead_records, max_event_times_ms,
    batch_offsets, batch_crcs, are_caught_up
  ) as moved
    (partition, next_offset, counted, dead, max_event_time_ms, batch_offset, batch_crc, is_caught_up)
  where o.topic = of_topic and o.partition = moved.partition;
end
$$;
