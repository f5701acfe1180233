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
-- Each span is read once, also where it is one bar, and another one's week before.
spans as materialized (
  select
    row_number() over () as span,
    span_start,
    span_end,
    max(bar) as bar,
    max(week_ago_of) as week_ago_of,
    count(bar) > 0 as is_shown,
    bool_or(is_comparable) as is_comparable
  from (
    select
      bar_start as span_start, bar_end as span_end,
      bar_start as bar, null::timestamptz as week_ago_of, false as is_comparable
    from bars
    union all
    select week_start, week_end, null, bar_start, false from week_ago
    union all
    select week_start, comparable_end, null, null, true from week_ago
  ) parts
  group by span_start, span_end
),
counts as materialized (
  select span, is_shown, is_comparable, lottery_name, event_type, event_count
  from spans
  cross join lateral lottery_totals(span_start, span_end)
),
pairs as materialized (
  select
    lottery_name,
    event_type,
    coalesce(sum(event_count) filter (where is_shown), 0) as events,
    coalesce(sum(event_count) filter (where is_comparable), 0) as comparable
  from counts
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
span_types as (
  select
    span,
    coalesce(types.place, (select count(*) from types)) as type,
    sum(event_count) as events
  from counts
  left join types using (event_type)
  where cardinality($6) = 0 or lottery_name = any ($6)
  group by span, type
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
      json_agg(
        json_build_array(extract(epoch from bar), extract(epoch from week_ago_of), type, events)
      ),
      '[]'
    )
    from span_types
    join spans using (span)
  ) as span_types,
  (select coalesce(json_agg(event_type order by place), '[]') from types) as event_types,
  (select coalesce(json_agg(lottery_name order by place), '[]') from lotteries) as lottery_names,
  (select count(distinct lottery_name) from pairs) as lotteries,
  (select coalesce(json_agg(json_build_array(lottery, type, events, comparable)), '[]') from totals)
    as totals,
  (
    select coalesce(json_agg(json_build_array(window_start, lottery, type, events)), '[]')
    from windows
  ) as windows,
  -- What is compared with a bar that is still filling may end within an hour whose minutes are deleted.
  (
    select coalesce(
      bool_and(
        comparable_end <= week_start
        or date_trunc('hour', comparable_end, 'UTC') = comparable_end
        or date_trunc('hour', comparable_end, 'UTC') >= coalesce(aggregates_horizon, '-infinity')
      ),
      true
    )
    from week_ago
  ) as is_comparable_kept,
  greatest(aggregates_horizon, (select hour from first_counted)) as windows_from,
  case when $3 < 3600 then aggregates_horizon else coalesce(hours_horizon, aggregates_horizon) end
    as bars_from
from pipeline
