-- $1, $2: from … to …   $3, $4: the same a week before   $5: the chosen lotteries, or null for all
-- $6, $7: how many lotteries and types have a place of their own
with counts as materialized (
  select lottery_name, event_type, event_count
  from lottery_totals($1, $2)
  where $5::text[] is null or lottery_name = any ($5)
),
-- A long range has most of its events in common with the week before: what is not is added, or taken
-- away.
counts_before as materialized (
  select lottery_name, event_type, event_count
  from lottery_totals($3, least($1, $4))
  where $5::text[] is null or lottery_name = any ($5)
  union all
  select lottery_name, event_type, event_count
  from counts
  where $1 < $4
  union all
  select lottery_name, event_type, -event_count
  from lottery_totals($4, $2)
  where $1 < $4 and ($5::text[] is null or lottery_name = any ($5))
),
lotteries as (
  select lottery_name, row_number() over (order by sum(event_count) desc, lottery_name) - 1 as place
  from (
    select lottery_name, event_count from counts
    union all
    -- Those that are chosen have a place in any case.
    select unnest($5), 0
  ) named
  group by lottery_name
  order by place
  limit $6
),
types as (
  select event_type, row_number() over (order by sum(event_count) desc, event_type) - 1 as place
  from counts
  group by event_type
  order by place
  limit $7
),
totals as (
  select
    is_before,
    coalesce(lotteries.place, (select count(*) from lotteries)) as lottery,
    coalesce(types.place, (select count(*) from types)) as type,
    sum(event_count) as events
  from (
    select false as is_before, * from counts
    union all
    select true, * from counts_before
  ) both_weeks
  left join lotteries using (lottery_name)
  left join types using (event_type)
  group by is_before, lottery, type
)
select
  (select coalesce(json_agg(event_type order by place), '[]') from types) as event_types,
  (select coalesce(json_agg(lottery_name order by place), '[]') from lotteries) as lottery_names,
  (
    select count(distinct lottery_name) from counts
    where lottery_name not in (select lottery_name from lotteries)
  ) as other_lotteries,
  (
    select coalesce(json_agg(json_build_array(lottery, type, events)), '[]')
    from totals where not is_before
  ) as totals,
  (
    select coalesce(json_agg(json_build_array(lottery, type, events)), '[]')
    from totals where is_before
  ) as totals_before
