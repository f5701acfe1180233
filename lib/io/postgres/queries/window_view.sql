-- $1, $2: bars from the one that holds … to the one that holds …   $3: seconds of a bar
-- $4: zone of bars of days   $5: end of the current window   $6: chosen lotteries, none for all
-- $7, $8: how many lotteries and types have a place of their own   $9: windows shown one by one
with bars as (
  select
    bucket_start as bar_start,
    bucket_end as bar_end,
    calendar,
    (bucket_start at time zone calendar - interval '7 days') at time zone calendar as week_ago_start
  from (select case when $3::integer < 86400 then 'UTC' else $4::text end as calendar) calendars
  cross join lateral lottery_buckets(
    $1::timestamptz - 1.1 * make_interval(secs => $3), -- a day may have 25 hours
    $2::timestamptz + interval '1 microsecond',
    make_interval(secs => $3),
    calendar
  )
  where bucket_end > $1
),
first_counted as (
  select
    least(
      (select min(hour_start) from lottery_hours),
      (select date_trunc('hour', min(window_start), 'UTC') from lottery_aggregates)
    ) as hour
),
-- The same bars a week before, unless they are deleted for their age, or nothing was counted yet.
-- A bar that is still filling compares with as much of that week.
week_ago as (
  select
    bar_start,
    bucket_start as week_start,
    bucket_end as week_end,
    case
      when bar_end <= $5::timestamptz then bucket_end
      else ($5 at time zone calendar - interval '7 days') at time zone calendar
    end as comparable_end
  from bars
  join lottery_buckets(
    (select min(week_ago_start) from bars),
    (select max(week_ago_start) from bars) + interval '1 microsecond',
    make_interval(secs => $3),
    (select min(calendar) from bars)
  ) on bucket_start = week_ago_start
  where bucket_start >= (select hour from first_counted)
),
-- Each is read once, also where the weeks of a long range overlap.
spans as (
  select bar_start as span_start, bar_end as span_end from bars
  union
  select week_start, week_end from week_ago
  union
  select week_start, comparable_end from week_ago
),
counts as materialized (
  select span_start, span_end, lottery_name, event_type, event_count
  from spans
  cross join lateral lottery_totals(span_start, span_end)
),
bar_counts as materialized (
  select
    bar_start, lottery_name, event_type,
    event_count as events, 0::bigint as week_ago, 0::bigint as comparable
  from bars
  join counts on span_start = bar_start and span_end = bar_end
  union all
  select
    bar_start, lottery_name, event_type,
    0, event_count, case when comparable_end = week_end then event_count else 0 end
  from week_ago
  join counts on span_start = week_start and span_end = week_end
  union all
  select bar_start, lottery_name, event_type, 0, 0, event_count
  from week_ago
  join counts on span_start = week_start and span_end = comparable_end
  where comparable_end <> week_end
),
pairs as materialized (
  select lottery_name, event_type, sum(events) as events, sum(comparable) as comparable
  from bar_counts
  group by lottery_name, event_type
),
lotteries as (
  select
    lottery_name,
    -- The chosen ones have a place in any case.
    row_number() over (
      order by
        lottery_name = any ($6::text[]) desc, sum(events) desc, sum(comparable) desc, lottery_name
    ) - 1 as place
  from pairs
  group by lottery_name
  order by place
  limit greatest($7::integer, cardinality($6::text[]))
),
types as (
  select
    event_type,
    row_number() over (order by sum(events) desc, sum(comparable) desc, event_type) - 1 as place
  from pairs
  where cardinality($6::text[]) = 0 or lottery_name = any ($6)
  group by event_type
  order by place
  limit $8
),
bar_types as (
  select
    bar_start,
    coalesce(types.place, (select count(*) from types)) as type,
    sum(events) as events,
    sum(week_ago) as week_ago
  from bar_counts
  left join types using (event_type)
  where cardinality($6::text[]) = 0 or lottery_name = any ($6)
  group by bar_start, type
),
totals as (
  select
    coalesce(lotteries.place, (select count(*) from lotteries)) as lottery,
    coalesce(types.place, (select count(*) from types)) as type,
    sum(events) as events,
    sum(comparable) as comparable
  from pairs
  left join lotteries using (lottery_name)
  left join types using (event_type)
  group by lottery, type
),
windows as (
  select
    extract(epoch from window_start)::bigint as window_start,
    coalesce(lotteries.place, (select count(*) from lotteries)) as lottery,
    coalesce(types.place, (select count(*) from types)) as type,
    sum(event_count) as events
  from lottery_aggregates
  left join lotteries using (lottery_name)
  left join types using (event_type)
  where window_start = any ($9::timestamptz[])
  group by 1, lottery, type
)
select
  (
    select coalesce(
      json_agg(
        json_build_array(
          extract(epoch from bar_start), extract(epoch from bar_end), week_start is not null
        )
        order by bar_start
      ),
      '[]'
    )
    from bars
    left join week_ago using (bar_start)
  ) as bars,
  (
    select coalesce(
      json_agg(json_build_array(extract(epoch from bar_start), type, events, week_ago)), '[]'
    )
    from bar_types
  ) as bar_types,
  (select coalesce(json_agg(event_type order by place), '[]') from types) as event_types,
  (select coalesce(json_agg(lottery_name order by place), '[]') from lotteries) as lottery_names,
  (select count(distinct lottery_name) from pairs) as lotteries,
  (select coalesce(json_agg(json_build_array(lottery, type, events, comparable)), '[]') from totals)
    as totals,
  (
    select coalesce(json_agg(json_build_array(window_start, lottery, type, events)), '[]')
    from windows
  ) as windows,
  greatest(aggregates_horizon, (select hour from first_counted)) as windows_from,
  case when $3 < 3600 then aggregates_horizon else coalesce(hours_horizon, aggregates_horizon) end
    as bars_from
from pipeline
