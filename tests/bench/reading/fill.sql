-- The windows of one minute that start in [$1, $2), whose bounds but the last are whole hours: 12
-- lotteries × 5 types, each of which has events in every minute.
with windows as (
  insert into lottery_aggregates
    (window_start, window_end, lottery_name, event_type, event_count)
  select
    minute, minute + interval '1 minute', 'lottery_' || lpad(lottery::text, 2, '0'), event_type,
    1 + (extract(epoch from minute)::bigint / 60 * 7919 + lottery * 31 + place * 17) % (100 * lottery)
  from generate_series($1::timestamptz, $2::timestamptz - interval '1 minute', interval '1 minute')
    as minute
  cross join generate_series(1, 12) as lottery
  cross join unnest(array['clicked', 'login', 'pay', 'register', 'viewed'])
    with ordinality as types (event_type, place)
  order by minute, lottery, event_type
  returning window_start, lottery_name, event_type, event_count
),
hours as (
  insert into lottery_hours (hour_start, lottery_name, event_type, event_count)
  select date_trunc('hour', window_start, 'UTC') as hour_start, lottery_name, event_type, sum(event_count)
  from windows
  group by 1, lottery_name, event_type
  order by 1, lottery_name, event_type
),
-- Two bad records every three minutes.
letters as (
  insert into dead_letters
    (topic, partition, kafka_offset, reason, record_timestamp, value, headers, received_at)
  select
    (select topic from pipeline), number % 4, extract(epoch from $1)::bigint + number,
    (array['not_json', 'not_json', 'timestamp_missing', 'event_type_missing'])[1 + number % 4],
    received_at, convert_to('{"lottery_name":"lottery_' || number, 'UTF8'), '[]', received_at
  from generate_series($1::timestamptz, $2::timestamptz - interval '1 minute', interval '90 seconds')
    with ordinality as letters (received_at, number)
)
select sum(event_count)::bigint as events from windows
