-- What a lottery should have had, by the weeks before.

-- Events that [from_time, to_time) should have: of each lottery and type the median of the same
-- weekday and time, by the clocks of the zone, in the last four weeks. Only weeks since the first
-- event of that lottery and type are taken: `weeks` says how many, and without any there is no row.
create function expected_counts(
  from_time timestamptz,
  to_time timestamptz,
  zone text default 'UTC'
) returns table (lottery_name text, event_type text, expected_count bigint, weeks integer)
language sql stable
as $$
  with past as (
    select
      week,
      (from_time at time zone zone - week * interval '7 days') at time zone zone as week_from,
      (to_time at time zone zone - week * interval '7 days') at time zone zone as week_to
    from generate_series(1, 4) as week
  ),
  counts as materialized (
    select week, week_from, t.lottery_name, t.event_type, t.event_count
    from past
    cross join lateral lottery_totals(week_from, week_to) t
  ),
  names as (
    select c.lottery_name, c.event_type, first_hour
    from (select distinct c.lottery_name, c.event_type from counts c) c
    cross join lateral (
      select h.hour_start as first_hour
      from lottery_hours h
      where h.lottery_name = c.lottery_name and h.event_type = c.event_type
      order by h.hour_start
      limit 1
    ) first
  )
  select
    n.lottery_name,
    n.event_type,
    percentile_disc(0.5) within group (order by coalesce(c.event_count, 0))::bigint,
    count(*)::integer
  from names n
  join past p on p.week_from >= n.first_hour
  left join counts c
    on c.week = p.week and c.lottery_name = n.lottery_name and c.event_type = n.event_type
  group by n.lottery_name, n.event_type
$$;
