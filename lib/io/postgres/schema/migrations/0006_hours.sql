-- The same counts by the hour, so that a year is read as fast as an hour.

-- Events per hour, lottery and type: each commit adds to it what it adds to lottery_aggregates. An
-- hour is the sum of the windows that start in it, and stays when they are deleted for their age.
create table lottery_hours (
  hour_start timestamptz not null,
  lottery_name text not null,
  event_type text not null,
  event_count bigint not null check (event_count > 0),
  primary key (hour_start, lottery_name, event_type)
) with (
  -- As in lottery_aggregates: the rows of the open hour are updated four times a second.
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.02
);

-- Finds names, and the hours of one lottery. Only a new row makes an entry: what is updated is in no
-- index.
create index lottery_hours_lottery on lottery_hours (lottery_name, hour_start);

-- Roles that may read or write the windows may do so with the hours: workers of before keep counting.
do $$
declare
  granted record;
begin
  for granted in
    select
      privilege_type,
      case when grantee = 0 then 'public' else grantee::regrole::text end as role
    from pg_class
    cross join aclexplode(relacl)
    where oid = 'lottery_aggregates'::regclass and grantee <> relowner
  loop
    execute format('grant %s on lottery_hours to %s', granted.privilege_type, granted.role);
  end loop;
end
$$;

alter table pipeline
  -- Only windows that start from here on are in lottery_hours; null: all are. A database that had
  -- windows before it had hours is filled backwards.
  add column hours_from timestamptz,
  -- Hours that start before it are deleted, or not whole; no others. Never falls.
  add column hours_horizon timestamptz,
  -- sum(event_count) of the hours + deleted_hour_events = sum(counted) + replayed_letters, once
  -- every window is in them.
  add column deleted_hour_events bigint not null default 0;

-- The first whole hour from a time on.
create function next_hour(at timestamptz) returns timestamptz
language sql immutable parallel safe
as $$
  select date_trunc('hour', at + interval '1 hour' - interval '1 microsecond', 'UTC')
$$;

-- None is yet, and commits add none until the first step of fill_hours. Windows that are deleted
-- already will be in no hour.
update pipeline set
  hours_from = '9999-12-31Z',
  hours_horizon = next_hour(aggregates_horizon),
  deleted_hour_events = deleted_events;

-- Puts the newest windows that are not in the hours yet into them, at most max_rows rows and one
-- window more. Commits wait for it, so the steps are small.
-- Returns since when windows are in the hours; null: all are.
create function fill_hours(max_rows integer) returns timestamptz
language plpgsql
as $$
declare
  filled_from timestamptz;
  filled_to timestamptz;
begin
  select hours_from into strict filled_to from pipeline;
  if filled_to is null then
    return null;
  end if;

  -- The first step. A commit that waited while the tables were changed still runs the function of
  -- before, which knows no hours. It holds its offsets: what it adds has to be there before its window
  -- is read.
  if filled_to = '9999-12-31Z' then
    lock table kafka_offsets in exclusive mode;
  end if;

  select hours_from into strict filled_to from pipeline for update;
  select window_start into filled_from
  from lottery_aggregates
  where window_start < filled_to
  order by window_start desc
  offset max_rows limit 1;

  insert into lottery_hours as h (hour_start, lottery_name, event_type, event_count)
  select date_trunc('hour', window_start, 'UTC') as hour_start, lottery_name, event_type, sum(event_count)
  from lottery_aggregates
  where (window_start >= filled_from or filled_from is null) and window_start < filled_to
  group by 1, lottery_name, event_type
  order by 1, lottery_name, event_type
  on conflict (hour_start, lottery_name, event_type) do update
    set event_count = h.event_count + excluded.event_count;

  update pipeline set hours_from = filled_from;
  return filled_from;
end
$$;

-- What starts before it is older than retention allows; null before any event. The clock that is
-- furthest behind decides: this one, the worker's, or event time as far as it was counted.
create function oldest_kept(retention_days integer, worker_now timestamptz) returns timestamptz
language sql stable
as $$
  select least(now(), worker_now, max(max_event_time)) - retention_days * interval '24 hours'
  from kafka_offsets
  having max(max_event_time) is not null
$$;

-- Deletes one step of the windows that are older than retention allows, and moves the horizon to
-- its end. Commits wait for it, so the steps are small.
create or replace function expire_aggregates(
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
  target timestamptz;
  in_hours_from timestamptz;
  gone_events bigint;
begin
  deleted_rows := 0;
  is_done := true;
  select aggregates_horizon, to_timestamp(floor(extract(epoch from old) / window_seconds) * window_seconds)
  into strict horizon, target
  from pipeline cross join oldest_kept(retention_days, worker_now) as old;
  if target is null or horizon >= target then
    return;
  end if;

  -- Again, because another worker may have moved it while we waited. What is not in the hours yet
  -- stays until it is.
  select aggregates_horizon, hours_from into strict horizon, in_hours_from from pipeline for update;
  if horizon >= target or in_hours_from is not null then
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

-- Deletes one step of the hours that are older than retention allows, as expire_aggregates does with
-- windows; but no hour before all of its windows are gone.
create function expire_hours(
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
  target timestamptz;
  gone_events bigint;
begin
  deleted_rows := 0;
  is_done := true;
  select hours_horizon, date_trunc('hour', least(old, aggregates_horizon), 'UTC')
  into horizon, target
  from pipeline cross join oldest_kept(retention_days, worker_now) as old
  where old is not null and aggregates_horizon is not null; -- which `least` would ignore
  if target is null or horizon >= target then
    return;
  end if;

  -- Again, because another worker may have moved it while we waited.
  select hours_horizon into strict horizon from pipeline for update;
  if horizon >= target then
    return;
  end if;

  -- Whole hours, at least one.
  select coalesce(min(hour_start), target) into horizon
  from lottery_hours
  where hour_start < target
    and hour_start > (select min(hour_start) from lottery_hours)
    and hour_start >= (
      select hour_start from lottery_hours where hour_start < target
      order by hour_start
      offset max_rows limit 1
    );
  with gone as (
    delete from lottery_hours where hour_start < horizon returning event_count
  )
  select count(*), coalesce(sum(event_count), 0) into deleted_rows, gone_events from gone;

  update pipeline
  set hours_horizon = horizon, deleted_hour_events = deleted_hour_events + gone_events;
  is_done := horizon = target;
end
$$;

-- Events between two times, of the windows that start there: whole hours from lottery_hours, the
-- windows before and after them from lottery_aggregates. What is deleted for its age is missing.
create function lottery_totals(from_time timestamptz, to_time timestamptz)
returns table (lottery_name text, event_type text, event_count bigint)
language sql stable
as $$
  select parts.lottery_name, parts.event_type, sum(parts.event_count)::bigint
  from (
    select
      first_hour,
      greatest(first_hour, date_trunc('hour', to_time, 'UTC')) as after_hours
    from (
      select least(next_hour(greatest(from_time, hours_from)), to_time) as first_hour from pipeline
    ) hours
    offset 0 -- worked out once, not at each use
  ) bounds
  cross join lateral (
    select h.lottery_name, h.event_type, h.event_count
    from lottery_hours h
    where h.hour_start >= first_hour and h.hour_start < after_hours
    union all
    select a.lottery_name, a.event_type, a.event_count
    from lottery_aggregates a
    where a.window_start >= from_time and a.window_start < first_hour
    union all
    select a.lottery_name, a.event_type, a.event_count
    from lottery_aggregates a
    where a.window_start >= after_hours and a.window_start < to_time
  ) parts
  group by parts.lottery_name, parts.event_type
$$;

-- The buckets that start in [from_time, to_time): of one step each, but of no less than a window.
-- From a day on they follow the calendar of the zone, so that a day may have 23 or 25 hours, and
-- weeks begin on Monday; shorter ones are aligned to midnight of UTC. Not those that are deleted for
-- their age, or a part of them is.
create function lottery_buckets(
  from_time timestamptz,
  to_time timestamptz,
  step interval,
  zone text default 'UTC'
) returns table (bucket_start timestamptz, bucket_end timestamptz)
language plpgsql stable
rows 300
as $$
declare
  windows_kept_from timestamptz;
  hours_kept_from timestamptz;
  size interval;
begin
  select
    coalesce(aggregates_horizon, '-infinity'), coalesce(hours_horizon, '-infinity'),
    greatest(step, make_interval(secs => window_seconds))
  into windows_kept_from, hours_kept_from, size
  from pipeline;

  return query
  select starts_at, ends_at
  from (
    select starts_at, starts_at + size as ends_at
    from generate_series(date_bin(size, from_time, 'epoch'), to_time, size) as starts_at
    where size < interval '1 day'
    union all
    -- From a day before on: where clocks go back at midnight, there are two of them.
    select local_start at time zone zone, (local_start + size) at time zone zone
    from generate_series(
      date_bin(size, from_time at time zone zone - interval '1 day', '2001-01-01'), -- a Monday
      to_time at time zone zone + interval '1 day',
      size
    ) as local_start
    where size >= interval '1 day'
  ) buckets
  where starts_at >= from_time
    and starts_at < to_time
    and starts_at < ends_at -- where a zone has left out a day
    and case
      when date_trunc('hour', starts_at, 'UTC') = starts_at
        and date_trunc('hour', ends_at, 'UTC') = ends_at
      then starts_at >= hours_kept_from
      else starts_at >= windows_kept_from
    end;
end
$$;

-- The counts of these buckets. Every reader asks this, or lottery_totals: neither ever scans a table.
create function lottery_counts(
  from_time timestamptz,
  to_time timestamptz,
  step interval,
  zone text default 'UTC'
) returns table (
  bucket_start timestamptz,
  bucket_end timestamptz,
  lottery_name text,
  event_type text,
  event_count bigint
)
language sql stable
as $$
  select b.bucket_start, b.bucket_end, c.lottery_name, c.event_type, c.event_count
  from lottery_buckets(from_time, to_time, step, zone) b
  cross join lateral lottery_totals(b.bucket_start, b.bucket_end) c
$$;

-- For operators: makes hours again that are not the sum of their windows, one at a time, so that
-- commits wait only briefly. Hours that a window is deleted of for its age stay as they are.
create procedure rebuild_hours()
language plpgsql
as $$
declare
  from_hour timestamptz := '-infinity';
  from_window timestamptz;
  this_hour timestamptz;
begin
  loop
    -- A snapshot from before the lock does not show what was committed until then.
    if current_setting('transaction_isolation') <> 'read committed' then
      raise exception using
        errcode = '25000',
        message = format(
          'hours can be rebuilt in read committed only, but this transaction is %s',
          current_setting('transaction_isolation')
        );
    end if;

    select
      greatest(from_hour, next_hour(aggregates_horizon)), coalesce(hours_from, '-infinity')
    into strict from_hour, from_window
    from pipeline
    for update;

    select date_trunc('hour', least(
      (select min(hour_start) from lottery_hours where hour_start >= from_hour),
      (select min(window_start) from lottery_aggregates where window_start >= from_hour)
    ), 'UTC')
    into this_hour;
    exit when this_hour is null;

    with sums as materialized (
      select lottery_name, event_type, sum(event_count) as event_count
      from lottery_aggregates
      where window_start >= greatest(this_hour, from_window)
        and window_start < this_hour + interval '1 hour'
      group by lottery_name, event_type
    ),
    gone as (
      delete from lottery_hours h
      where h.hour_start >= this_hour and h.hour_start < this_hour + interval '1 hour'
        and (
          h.hour_start <> this_hour
          or not exists (
            select
            from sums s
            where s.lottery_name = h.lottery_name and s.event_type = h.event_type
          )
        )
    )
    insert into lottery_hours as h (hour_start, lottery_name, event_type, event_count)
    select this_hour, lottery_name, event_type, event_count
    from sums
    order by lottery_name, event_type
    on conflict (hour_start, lottery_name, event_type) do update
      set event_count = excluded.event_count
      where h.event_count <> excluded.event_count;

    commit;
    from_hour := this_hour + interval '1 hour';
  end loop;
end
$$;
