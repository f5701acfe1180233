-- The notes for audit grew without end. Those that are a month old are thinned to one a day: Kafka
-- seldom holds so much, and if it does, audit proves what begins a day later at most.

-- As before, and thins the notes of a partition whenever it makes one.
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
          and h.at > now() - interval '10 minutes'
      )
    on conflict do nothing
    returning topic, partition
  )
  delete from offset_history h
  using noted
  where h.topic = noted.topic and h.partition = noted.partition
    and h.at < now() - interval '30 days'
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
