-- $1, $2: windows from … to …   $3: seconds of a bar   $4: the chosen lottery, or null for all
-- $5, $6: how many lotteries and types have a place of their own   $7: windows shown one by one
with counts as materialized (
  select
    floor(extract(epoch from window_start) / $3::integer)::bigint * $3::integer as bar_start,
    lottery_name,
    event_type,
    sum(event_count)::bigint as events
  from lottery_aggregates
  where window_start >= $1 and window_start < $2
  group by bar_start, lottery_name, event_type
),
lotteries as (
  select
    lottery_name,
    -- The chosen one has a place in any case.
    row_number() over (
      order by lottery_name is not distinct from $4::text desc, sum(events) desc, lottery_name
    ) - 1 as place
  from counts
  group by lottery_name
  order by place
  limit $5
),
types as (
  select event_type, row_number() over (order by sum(events) desc, event_type) - 1 as place
  from counts
  where $4::text is null or lottery_name = $4
  group by event_type
  order by place
  limit $6
),
bars as (
  select bar_start, coalesce(types.place, (select count(*) from types)) as type, sum(events) as events
  from counts
  left join types using (event_type)
  where $4::text is null or lottery_name = $4
  group by bar_start, type
),
totals as (
  select
    coalesce(lotteries.place, (select count(*) from lotteries)) as lottery,
    coalesce(types.place, (select count(*) from types)) as type,
    sum(events) as events
  from counts
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
  where window_start = any ($7::timestamptz[])
  group by 1, lottery, type
)
select
  (select coalesce(json_agg(event_type order by place), '[]') from types) as event_types,
  (select coalesce(json_agg(lottery_name order by place), '[]') from lotteries) as lottery_names,
  (select count(distinct lottery_name) from counts) as lotteries,
  (select coalesce(json_agg(json_build_array(bar_start, type, events)), '[]') from bars) as bars,
  (select coalesce(json_agg(json_build_array(lottery, type, events)), '[]') from totals) as totals,
  (
    select coalesce(json_agg(json_build_array(window_start, lottery, type, events)), '[]')
    from windows
  ) as windows
