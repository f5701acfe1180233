-- What a range of time should have had by the weeks before, and which lotteries are quiet.

-- Events that the windows of [from_time, to_time) should have, of each lottery and type: the median
-- of what the same weekday and time had in the last four weeks, by the clocks of the zone; of an even
-- number the lower one. A week in a rush, with more than twice what the second quietest of the seven
-- days from then on had at that time, counts as that day. Up to two days without any are left out:
-- there are weekends.
--
-- Weeks are those in which the lottery and type had an event in the day before: `weeks` says how
-- many, and without any there is no row. Where minutes are deleted for their age, a range has its
-- share of each hour. For ranges of up to a day.
create function expected_counts(
  from_time timestamptz,
  to_time timestamptz,
  zone text default 'UTC',
  of_lotteries text[] default null,
  of_types text[] default null
) returns table (lottery_name text, event_type text, expected_count bigint, weeks integer)
language sql stable
as $$
  with past as materialized (
    select
      week,
      week_from,
      week_from + (to_time - from_time) as week_to,
      week_from >= coalesce(aggregates_horizon, '-infinity') as has_minutes
    from pipeline
    cross join generate_series(1, 4) as week
    cross join lateral (
      select (from_time at time zone zone - week * interval '7 days') at time zone zone as by_clock
    ) as clocks
    -- Clocks that have changed move windows of a day by none of them, not into the next day.
    cross join lateral (
      select
        from_time - make_interval(
          secs => round(extract(epoch from from_time - by_clock) / window_seconds) * window_seconds
        ) as week_from
    ) as starts
  ),
  -- By hours, so that 28 days are read at once.
  days as materialized (
    select week, day, h.lottery_name, h.event_type, sum(h.event_count * share) as events
    from past
    cross join generate_series(0, 6) as day
    cross join lateral (
      select (week_from at time zone zone + day * interval '1 day') at time zone zone as day_from
    ) as starts
    cross join lateral (
      select
        l.lottery_name,
        l.event_type,
        l.event_count,
        extract(
          epoch from least(hour_start + interval '1 hour', day_from + (to_time - from_time))
            - greatest(hour_start, day_from)
        ) / 3600 as share
      from lottery_hours l
      where l.hour_start > day_from - interval '1 hour'
        and l.hour_start < day_from + (to_time - from_time)
        and (of_lotteries is null or l.lottery_name = any (of_lotteries))
        and (of_types is null or l.event_type = any (of_types))
      offset 0 -- a plan of its own: it goes by the key
    ) h
    group by week, day, h.lottery_name, h.event_type
  ),
  second_quietest as (
    select
      d.week,
      d.lottery_name,
      d.event_type,
      case when count(*) >= 5 then (array_agg(d.events order by d.events))[2] else 0 end as events
    from days d
    group by d.week, d.lottery_name, d.event_type
  ),
  counts as materialized (
    select week, t.lottery_name, t.event_type, t.event_count
    from past
    cross join lateral lottery_totals(week_from, week_to) t
    where has_minutes
      and (of_lotteries is null or t.lottery_name = any (of_lotteries))
      and (of_types is null or t.event_type = any (of_types))
    union all
    select week, d.lottery_name, d.event_type, d.events
    from days d
    join past using (week)
    where day = 0 and not has_minutes
  )
  select
    n.lottery_name,
    n.event_type,
    percentile_disc(0.5) within group (
      order by round(
        case
          when c.event_count > 2 * coalesce(q.events, 0) then coalesce(q.events, 0)
          else coalesce(c.event_count, 0)
        end
      )
    )::bigint,
    count(*)::integer
  from (select distinct c.lottery_name, c.event_type from counts c) n
  cross join past p
  left join counts c
    on c.week = p.week and c.lottery_name = n.lottery_name and c.event_type = n.event_type
  left join second_quietest q
    on q.week = p.week and q.lottery_name = n.lottery_name and q.event_type = n.event_type
  where exists (
    select
    from lottery_hours h
    where h.lottery_name = n.lottery_name
      and h.event_type = n.event_type
      and h.hour_start > p.week_from - interval '25 hours'
      and h.hour_start <= p.week_from - interval '1 hour' -- the first one may have begun within it
    offset 0 -- looked up for each, not joined with all hours
  )
  group by n.lottery_name, n.event_type
$$;

-- Judges the last closed windows of each lottery and type, and keeps in quiet_lotteries which are
-- quiet. One is quiet with less than the share of what is expected, unless that is less than
-- min_expected (twice as much by one week alone), or chance does so once in ten million times; and no
-- longer once it has twice the share. Those that are nearly as far come with the first one: what has
-- stopped for all is told at once.
--
-- Nothing is judged while the closed windows are older than max_delay, nor until event time has
-- passed a range of windows since it stood still: while everything was counted, but no record arrived
-- for `minutes` although events were expected. (A topic that is filled with its past is behind, but
-- records arrive.) That is kept in alerts: `repeats` is 1 as long as it does.
--
-- Returns what has changed, to one caller only, who has to tell it: that a lottery and type
-- 'is quiet', or 'is over', and that event time 'stands still' (quiet_since says since when, and
-- expected_count what should have come), or 'moves again'.
create function judge_quiet(
  types text[],
  minutes integer,
  share double precision,
  min_expected integer,
  zone text,
  max_delay interval,
  judged_at timestamptz default now()
) returns table (
  change text,
  lottery_name text,
  event_type text,
  quiet_since timestamptz,
  event_count bigint,
  expected_count bigint,
  weeks integer
)
language plpgsql
as $$
#variable_conflict use_column
declare
  stands_still constant text := 'event_time_stands_still';
  closed timestamptz;
  counted_topic text;
  window_size interval;
  span interval;
  event_time timestamptz;
  arrived_at timestamptz;
  is_caught_up boolean;
  should_come_from timestamptz;
  stood_still timestamptz;
  moves_since timestamptz;
begin
  lock table quiet_lotteries in share row exclusive mode; -- one after the other

  -- Whole windows. Those that are still to come were closed by clocks that are ahead.
  select
    case when closed_up_to is not null then
      least(
        closed_up_to,
        to_timestamp(floor(extract(epoch from judged_at) / window_seconds) * window_seconds)
      )
    end,
    topic,
    make_interval(secs => window_seconds),
    make_interval(secs => ceil(minutes * 60.0 / window_seconds) * window_seconds)
  into closed, counted_topic, window_size, span
  from pipeline;
  if closed is null then
    return;
  end if;

  -- Event time as a whole.
  select
    case when max(max_event_time) is not null then least(max(max_event_time), judged_at) end,
    max(updated_at),
    coalesce(bool_and(coalesce(caught_up_at > judged_at - interval '1 minute', false)), false)
  into event_time, arrived_at, is_caught_up
  from kafka_offsets
  where topic = counted_topic;
  select
    case when repeats > 0 then mailed_at end,
    case when repeats = 0 then mailed_at end
  into stood_still, moves_since
  from alerts
  where cause = stands_still;

  if stood_still is null and event_time is not null and is_caught_up
    and greatest(event_time, arrived_at) < judged_at - span
  then
    -- Of what has passed: where nobody buys at night, it is the morning that tells.
    should_come_from := greatest(event_time, judged_at - span - window_size);
    select sum(e.expected_count), max(e.weeks) into expected_count, weeks
    from expected_counts(should_come_from, should_come_from + span, zone) e;
    if expected_count >= min_expected then
      insert into alerts (cause, mailed_at, repeats) values (stands_still, event_time, 1)
      on conflict (cause) do update set mailed_at = event_time, repeats = 1;
      change := 'stands still';
      quiet_since := event_time;
      event_count := 0;
      return next;
    end if;
  elsif stood_still is not null and event_time >= judged_at - span then
    update alerts set mailed_at = event_time, repeats = 0 where cause = stands_still;
    change := 'moves again';
    quiet_since := stood_still;
    moves_since := event_time;
    stood_still := null;
    return next;
  end if;

  -- Those that nobody asks for.
  delete from quiet_lotteries q where q.event_type <> all (types);

  if stood_still is not null or judged_at - closed > max_delay or closed - span < moves_since then
    return;
  end if;

  -- The lotteries.
  return query
  with judged as materialized (
    select
      lottery_name,
      event_type,
      q.quiet_since,
      coalesce(e.expected_count, 0) as expected_count,
      coalesce(e.weeks, 0) as weeks,
      coalesce(t.event_count, 0) as event_count
    from expected_counts(closed - span, closed, zone, null, types) e
    full join quiet_lotteries q using (lottery_name, event_type)
    left join (
      select l.lottery_name, l.event_type, l.event_count
      from lottery_totals(closed - span, closed) l
      where l.event_type = any (types)
    ) t using (lottery_name, event_type)
  ),
  steps as materialized (
    select
      *,
      quiet_since is null
        and expected_count >= case when weeks = 1 then 2 else 1 end * min_expected as may_begin,
      -- So few of so many come by chance with a probability below exp(-17), Chernoff's bound for
      -- events that come by themselves.
      event_count < share * expected_count
        and expected_count - event_count
          - coalesce(event_count * ln(greatest(expected_count, 1) / nullif(event_count, 0)::float), 0)
          > 17 as is_quiet,
      event_count < 2 * share * expected_count as is_nearly_quiet,
      event_count >= 2 * share * greatest(expected_count, min_expected) as is_back,
      event_count >= share * greatest(expected_count, min_expected) as is_nearly_back
    from judged
  ),
  changes as materialized (
    select
      *,
      case
        when may_begin and is_nearly_quiet and bool_or(may_begin and is_quiet) over ()
        then 'is quiet'
        when quiet_since is null then null
        when is_nearly_back and bool_or(quiet_since is not null and is_back) over ()
        then 'is over'
        -- It has ended: no week says that any are expected, which nobody has to be told.
        when quiet_since <= closed - interval '30 days' then 'has ended'
        else 'is still quiet'
      end as change
    from steps
  ),
  begun as (
    insert into quiet_lotteries (
      lottery_name, event_type, quiet_since, noticed_at, judged_from, judged_to,
      event_count, expected_count, weeks
    )
    select
      c.lottery_name, c.event_type, closed - span, judged_at, closed - span, closed,
      c.event_count, c.expected_count, c.weeks
    from changes c
    where c.change = 'is quiet'
  ),
  ended as (
    delete from quiet_lotteries q
    using changes c
    where c.change in ('is over', 'has ended')
      and q.lottery_name = c.lottery_name and q.event_type = c.event_type
  ),
  continued as (
    update quiet_lotteries q
    set
      judged_from = closed - span, judged_to = closed,
      event_count = c.event_count, expected_count = c.expected_count, weeks = c.weeks
    from changes c
    where c.change = 'is still quiet'
      and q.lottery_name = c.lottery_name and q.event_type = c.event_type
  )
  select
    c.change, c.lottery_name, c.event_type, coalesce(c.quiet_since, closed - span),
    c.event_count, c.expected_count, c.weeks
  from changes c
  where c.change in ('is quiet', 'is over')
  order by c.expected_count desc, c.lottery_name, c.event_type;
end
$$;
