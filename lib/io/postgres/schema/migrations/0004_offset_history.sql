-- What audit needs to know of the past: Kafka deletes records, and then only what came after
-- them can be recounted.

-- Now and then, for each partition: how far it was, and up to which event time. Once the log
-- begins at or before next_offset, every window after max_event_time can be recounted.
create table offset_history (
  topic text not null,
  partition integer not null,
  next_offset bigint not null,
  max_event_time timestamptz,
  counted bigint not null,
  dead bigint not null,
  at timestamptz not null default now(),
  primary key (topic, partition, at)
);

-- Windows that were counted into while they lay so far ahead of the clock that max_event_time
-- does not tell of them, because it is capped: one clock that is wrong must not close every window.
create table windows_ahead (
  window_start timestamptz primary key
);

-- Where counting began. Records before it are none of these counts.
alter table kafka_offsets add column first_offset bigint not null default 0;

-- Notes how the given partitions stand before a commit, every ten minutes, and the windows ahead.
create function note_for_audit(of_topic text, partitions integer[], window_starts_ms bigint[])
returns void
language sql
as $$
  insert into offset_history (topic, partition, next_offset, max_event_time, counted, dead)
  select o.topic, o.partition, o.next_offset, o.max_event_time, o.counted, o.dead
  from kafka_offsets o
  where o.topic = of_topic
    and o.partition = any (partitions)
    and not exists (
      select
      from offset_history h
      where h.topic = o.topic and h.partition = o.partition
        and h.at > now() - interval '10 minutes'
    )
  on conflict do nothing;

  -- Half of what is allowed, because a worker's clock and this one may differ.
  insert into windows_ahead (window_start)
  select distinct to_timestamp(start_ms / 1000.0)
  from unnest(window_starts_ms) as counts (start_ms), pipeline p
  where to_timestamp(start_ms / 1000.0) > now() + make_interval(secs => p.max_future_seconds / 2.0)
  order by 1 -- so that no two commits wait for each other
  on conflict do nothing;
$$;

-- As before, and with these notes.
create or replace function commit_counts(
  of_topic text,
  of_epoch bigint,
  partitions integer[],
  expected_offsets bigint[],
  next_offsets bigint[],
  counted_records bigint[],
  dead_records bigint[],
  max_event_times_ms bigint[],
  batch_offsets bigint[],
  batch_crcs bigint[],
  are_caught_up boolean[],
  window_starts_ms bigint[],
  lottery_names text[],
  event_types text[],
  event_counts bigint[],
  dead_partitions integer[],
  dead_offsets bigint[],
  dead_reasons text[],
  dead_timestamps_ms bigint[],
  -- Keys and values stand in dead_bytes, from a start (counted from 1) for a length; null has no length.
  dead_key_starts integer[],
  dead_key_lengths integer[],
  dead_value_starts integer[],
  dead_value_lengths integer[],
  dead_headers jsonb[],
  dead_bytes bytea
) returns void
language plpgsql
as $$
declare
  standing integer;
  window_size interval;
begin
  select count(*) into standing
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

  if standing <> cardinality(partitions) then
    raise exception using
      errcode = 'LE001',
      message = format(
        'only %s of %s partitions stand at their expected offset',
        standing, cardinality(partitions)
      );
  end if;

  perform note_for_audit(of_topic, partitions, window_starts_ms);

  select make_interval(secs => window_seconds) into strict window_size from pipeline;

  insert into lottery_aggregates as a
    (window_start, window_end, lottery_name, event_type, event_count)
  select
    to_timestamp(start_ms / 1000.0), to_timestamp(start_ms / 1000.0) + window_size,
    lottery_name, event_type, event_count
  from unnest(window_starts_ms, lottery_names, event_types, event_counts)
    as counts (start_ms, lottery_name, event_type, event_count)
  order by start_ms, lottery_name, event_type
  on conflict (window_start, lottery_name, event_type) do update
    set event_count = a.event_count + excluded.event_count, updated_at = now();

  insert into dead_letters
    (topic, partition, kafka_offset, reason, record_timestamp, key, value, headers)
  select
    of_topic, partition, kafka_offset, reason, to_timestamp(timestamp_ms / 1000.0),
    substring(dead_bytes from key_start for key_length),
    substring(dead_bytes from value_start for value_length),
    headers
  from unnest(
    dead_partitions, dead_offsets, dead_reasons, dead_timestamps_ms,
    dead_key_starts, dead_key_lengths, dead_value_starts, dead_value_lengths, dead_headers
  ) as letters (
    partition, kafka_offset, reason, timestamp_ms,
    key_start, key_length, value_start, value_length, headers
  )
  order by partition, kafka_offset
  on conflict do nothing;

  update kafka_offsets o set
    next_offset = moved.next_offset,
    counted = o.counted + moved.counted,
    dead = o.dead + moved.dead,
    max_event_time = greatest(o.max_event_time, to_timestamp(moved.max_event_time_ms / 1000.0)),
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
