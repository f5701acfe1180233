-- A flood of bad records must not hold up the good ones behind it. To write a row of dead_letters
-- takes ten times as long as to read its record; so a commit with more than 10,000 of them, or 2 MB,
-- stores them as they came, as the arrays of one row, and they become rows of their own later.

create table dead_letter_staging (
  id bigint generated always as identity primary key,
  topic text not null,
  received_at timestamptz not null default now(),
  letters integer not null,
  -- How many there are of each reason: {reason: letters}.
  reasons jsonb not null,
  -- As store_commit got them.
  partitions integer[] not null,
  offsets bigint[] not null,
  letter_reasons text[] not null,
  timestamps_ms bigint[] not null,
  key_lengths integer[] not null,
  value_lengths integer[] not null,
  headers jsonb[] not null, -- mostly none
  bytes bytea not null
);

create index dead_letter_staging_received_at on dead_letter_staging (received_at);

-- A flood is the same few mistakes again and again: lz4 makes a seventh of it in a third less time.
-- A server may have been built without it.
do $$
begin
  execute '
    alter table dead_letter_staging
      alter partitions set compression lz4,
      alter offsets set compression lz4,
      alter letter_reasons set compression lz4,
      alter timestamps_ms set compression lz4,
      alter key_lengths set compression lz4,
      alter value_lengths set compression lz4,
      alter bytes set compression lz4';
exception
  when feature_not_supported or syntax_error then
    null;
end
$$;

-- The letters that stand in such arrays, one a row.
create function letters_of(
  partitions integer[],
  offsets bigint[],
  letter_reasons text[],
  timestamps_ms bigint[],
  key_lengths integer[],
  value_lengths integer[],
  headers jsonb[],
  bytes bytea
) returns table (
  partition integer,
  kafka_offset bigint,
  reason text,
  record_timestamp timestamptz,
  key bytea,
  value bytea,
  headers_json jsonb
)
language plpgsql stable
as $$
#variable_conflict use_column
declare
  contents bytea := bytes || ''; -- decompressed once, and not for each letter
begin
  return query
  select
    partition, kafka_offset, reason, to_timestamp(timestamp_ms / 1000.0),
    substring(contents from (ends - size + 1)::integer for key_length),
    substring(contents from (ends - coalesce(value_length, 0) + 1)::integer for value_length),
    coalesce(headers_or_none, '[]')
  from (
    select *, sum(size) over (order by place rows unbounded preceding) as ends
    from unnest(
      partitions, offsets, letter_reasons, timestamps_ms, key_lengths, value_lengths, headers
    ) with ordinality as letters (
      partition, kafka_offset, reason, timestamp_ms, key_length, value_length, headers_or_none, place
    )
    cross join lateral (
      select coalesce(key_length, 0) + coalesce(value_length, 0) as size
    ) sizes
  ) placed;
end
$$;

-- Those that are staged, as they will be in dead_letters. In this order, who wants the newest few
-- need not take apart all of them.
create view staged_dead_letters as
select
  s.id as staging_id, s.topic, l.partition, l.kafka_offset, l.reason, l.record_timestamp, l.key,
  l.value, l.headers_json as headers, s.received_at, null::timestamptz as replayed_at,
  null::bytea as replayed_value, null::timestamptz as replayed_window
from dead_letter_staging s
cross join letters_of(
  s.partitions, s.offsets, s.letter_reasons, s.timestamps_ms, s.key_lengths, s.value_lengths,
  s.headers, s.bytes
) l
order by s.received_at desc;

-- All of them, wherever they stand.
create view all_dead_letters as
select
  topic, partition, kafka_offset, reason, record_timestamp, key, value, headers, received_at,
  replayed_at, replayed_value, replayed_window
from dead_letters
union all
select
  topic, partition, kafka_offset, reason, record_timestamp, key, value, headers, received_at,
  replayed_at, replayed_value, replayed_window
from staged_dead_letters;

-- For whoever counts them: each row stands for so many letters, of which so many were replayed.
create view dead_letter_counts as
select
  topic, reason, received_at, 1 as letters, (replayed_at is not null)::integer as replayed
from dead_letters
union all
select s.topic, of_reason.key, s.received_at, of_reason.value::integer, 0
from dead_letter_staging s
cross join jsonb_each_text(s.reasons) of_reason;

-- Makes rows of dead_letters of what one commit has staged, unless another has done so.
create function unstage_dead_letters(of_id bigint) returns void
language plpgsql
as $$
declare
  staged dead_letter_staging;
begin
  select * into staged from dead_letter_staging where id = of_id for update;
  if not found then
    return;
  end if;

  insert into dead_letters
    (topic, partition, kafka_offset, reason, record_timestamp, key, value, headers, received_at)
  select staged.topic, letters.*, staged.received_at
  from letters_of(
    staged.partitions, staged.offsets, staged.letter_reasons, staged.timestamps_ms,
    staged.key_lengths, staged.value_lengths, staged.headers, staged.bytes
  ) letters
  order by partition, kafka_offset
  on conflict do nothing;

  delete from dead_letter_staging where id = of_id;
end
$$;

-- A commit of counts (commit_counts, which older versions call for all of it) and of dead letters,
-- very many of which are staged. Nothing is stored if commit_counts raises.
create function store_commit(
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
  -- Keys and values stand in dead_bytes, one after the other; null has no length.
  dead_key_lengths integer[],
  dead_value_lengths integer[],
  dead_headers jsonb[],
  dead_bytes bytea,
  -- {reason: letters}
  dead_by_reason jsonb
) returns void
language plpgsql
as $$
begin
  perform commit_counts(
    of_topic, of_epoch, partitions, expected_offsets, next_offsets, counted_records, dead_records,
    max_event_times_ms, batch_offsets, batch_crcs, are_caught_up, window_starts_ms, lottery_names,
    event_types, event_counts, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', ''
  );

  if cardinality(dead_offsets) > 10000 or octet_length(dead_bytes) > 2000000 then
    insert into dead_letter_staging (
      topic, letters, reasons, partitions, offsets, letter_reasons, timestamps_ms, key_lengths,
      value_lengths, headers, bytes
    )
    values (
      of_topic, cardinality(dead_offsets), dead_by_reason, dead_partitions, dead_offsets,
      dead_reasons, dead_timestamps_ms, dead_key_lengths, dead_value_lengths, dead_headers, dead_bytes
    );
  else
    insert into dead_letters
      (topic, partition, kafka_offset, reason, record_timestamp, key, value, headers)
    select of_topic, letters.*
    from letters_of(
      dead_partitions, dead_offsets, dead_reasons, dead_timestamps_ms, dead_key_lengths,
      dead_value_lengths, dead_headers, dead_bytes
    ) letters
    order by partition, kafka_offset
    on conflict do nothing;
  end if;
end
$$;
