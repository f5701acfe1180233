-- A dead letter is evidence: what it was when it came can be told apart from what somebody made of
-- it. And a record that is too large to be kept leaves its beginning, its size and its hash.

alter table dead_letters
  -- Only of a record that was cut: how many bytes it had (null where it had none), and the SHA-256
  -- of its key, value and headers as the log holds them.
  add column key_size bigint,
  add column value_size bigint,
  add column headers_size bigint,
  add column record_sha256 bytea,
  -- letter_sha256 of what was stored; null in rows that are older than this column.
  add column content_sha256 bytea;

alter table dead_letter_staging
  -- As store_commit got them; mostly empty.
  add column key_sizes bigint[] not null default '{}',
  add column value_sizes bigint[] not null default '{}',
  add column headers_sizes bigint[] not null default '{}',
  add column record_sha256s bytea[] not null default '{}';

-- Bytes with their length, so that no two parts can be taken for one.
create function hash_part(bytes bytea) returns bytea
language sql immutable parallel safe
as $$
  select coalesce('\x01' || int4send(octet_length(bytes)) || bytes, '\x00')
$$;

create function hash_number(number bigint) returns bytea
language sql immutable parallel safe
as $$
  select coalesce('\x0100000008'::bytea || int8send(number), '\x00')
$$;

create function hash_headers(headers jsonb) returns bytea
language plpgsql immutable parallel safe
as $$
begin
  return (
    select string_agg(
      hash_part(coalesce(convert_to(header ->> 'key', 'UTF8'), decode(header ->> 'key_base64', 'base64')))
        || hash_part(decode(header ->> 'value_base64', 'base64')),
      '' order by place
    )
    from jsonb_array_elements(headers) with ordinality as all_headers (header, place)
  );
end
$$;

create function hash_letter(
  record_timestamp timestamptz,
  key bytea,
  value bytea,
  headers jsonb,
  key_size bigint,
  value_size bigint,
  headers_size bigint,
  record_sha256 bytea
) returns bytea
language sql stable parallel safe
as $$
  select sha256(
    hash_number(round(extract(epoch from record_timestamp) * 1000)::bigint)
    || hash_part(key)
    || hash_part(value)
    || int4send(jsonb_array_length(headers))
    || case when headers = '[]' then '' else hash_headers(headers) end
    || case
      when record_sha256 is null then ''
      else
        hash_number(key_size) || hash_number(value_size) || hash_number(headers_size)
        || hash_part(record_sha256)
    end
  )
$$;

-- As hash_letter, but empty for a letter that somebody has made one that no record can be.
create function hash_changed_letter(
  record_timestamp timestamptz,
  key bytea,
  value bytea,
  headers jsonb,
  key_size bigint,
  value_size bigint,
  headers_size bigint,
  record_sha256 bytea
) returns bytea
language plpgsql stable
as $$
begin
  return hash_letter(
    record_timestamp, key, value, headers, key_size, value_size, headers_size, record_sha256
  );
exception
  when data_exception or feature_not_supported then
    return '';
end
$$;

-- SHA-256 of everything that a letter has from its record; empty if no record can have it. The
-- program computes the same of a record (lib/core/letter_digest.ts). Most letters have no headers,
-- and nothing that an error has to be caught for: that would take five times as long.
create function letter_sha256(
  record_timestamp timestamptz,
  key bytea,
  value bytea,
  headers jsonb,
  key_size bigint,
  value_size bigint,
  headers_size bigint,
  record_sha256 bytea
) returns bytea
language sql stable
as $$
  select case
    when headers = '[]' and coalesce(isfinite(record_timestamp), true) then hash_letter(
      record_timestamp, key, value, headers, key_size, value_size, headers_size, record_sha256
    )
    else hash_changed_letter(
      record_timestamp, key, value, headers, key_size, value_size, headers_size, record_sha256
    )
  end
$$;

-- The letters that stand in such arrays, one a row. Those with sizes and hashes end with the last
-- letter that has some.
create function letters_of(
  partitions integer[],
  offsets bigint[],
  letter_reasons text[],
  timestamps_ms bigint[],
  key_lengths integer[],
  value_lengths integer[],
  headers jsonb[],
  key_sizes bigint[],
  value_sizes bigint[],
  headers_sizes bigint[],
  record_sha256s bytea[],
  bytes bytea
) returns table (
  partition integer,
  kafka_offset bigint,
  reason text,
  record_timestamp timestamptz,
  key bytea,
  value bytea,
  headers_json jsonb,
  key_size bigint,
  value_size bigint,
  headers_size bigint,
  record_sha256 bytea
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
    coalesce(headers_or_none, '[]'),
    key_size, value_size, headers_size, record_sha256
  from (
    select *, sum(size) over (order by place rows unbounded preceding) as ends
    from unnest(
      partitions, offsets, letter_reasons, timestamps_ms, key_lengths, value_lengths, headers,
      key_sizes, value_sizes, headers_sizes, record_sha256s
    ) with ordinality as letters (
      partition, kafka_offset, reason, timestamp_ms, key_length, value_length, headers_or_none,
      key_size, value_size, headers_size, record_sha256, place
    )
    cross join lateral (
      select coalesce(key_length, 0) + coalesce(value_length, 0) as size
    ) sizes
  ) placed;
end
$$;

create or replace view staged_dead_letters as
select
  s.id as staging_id, s.topic, l.partition, l.kafka_offset, l.reason, l.record_timestamp, l.key,
  l.value, l.headers_json as headers, s.received_at, null::timestamptz as replayed_at,
  null::bytea as replayed_value, null::timestamptz as replayed_window,
  l.key_size, l.value_size, l.headers_size, l.record_sha256, null::bytea as content_sha256
from dead_letter_staging s
cross join letters_of(
  s.partitions, s.offsets, s.letter_reasons, s.timestamps_ms, s.key_lengths, s.value_lengths,
  s.headers, s.key_sizes, s.value_sizes, s.headers_sizes, s.record_sha256s, s.bytes
) l
order by s.received_at desc;

create or replace view all_dead_letters as
select
  topic, partition, kafka_offset, reason, record_timestamp, key, value, headers, received_at,
  replayed_at, replayed_value, replayed_window,
  key_size, value_size, headers_size, record_sha256, content_sha256
from dead_letters
union all
select
  topic, partition, kafka_offset, reason, record_timestamp, key, value, headers, received_at,
  replayed_at, replayed_value, replayed_window,
  key_size, value_size, headers_size, record_sha256, content_sha256
from staged_dead_letters;

-- Rows of letters, with their hashes.
create function insert_dead_letters(
  of_topic text,
  when_received timestamptz,
  partitions integer[],
  offsets bigint[],
  letter_reasons text[],
  timestamps_ms bigint[],
  key_lengths integer[],
  value_lengths integer[],
  headers jsonb[],
  key_sizes bigint[],
  value_sizes bigint[],
  headers_sizes bigint[],
  record_sha256s bytea[],
  bytes bytea
) returns void
language sql
as $$
  insert into dead_letters (
    topic, received_at, partition, kafka_offset, reason, record_timestamp, key, value, headers,
    key_size, value_size, headers_size, record_sha256, content_sha256
  )
  select
    of_topic, when_received, l.*,
    letter_sha256(
      l.record_timestamp, l.key, l.value, l.headers_json, l.key_size, l.value_size, l.headers_size,
      l.record_sha256
    )
  from letters_of(
    partitions, offsets, letter_reasons, timestamps_ms, key_lengths, value_lengths, headers,
    key_sizes, value_sizes, headers_sizes, record_sha256s, bytes
  ) l
  order by l.partition, l.kafka_offset
  on conflict do nothing
$$;

create or replace function unstage_dead_letters(of_id bigint) returns void
language plpgsql
as $$
declare
  staged dead_letter_staging;
begin
  select * into staged from dead_letter_staging where id = of_id for update;
  if not found then
    return;
  end if;

  perform insert_dead_letters(
    staged.topic, staged.received_at, staged.partitions, staged.offsets, staged.letter_reasons,
    staged.timestamps_ms, staged.key_lengths, staged.value_lengths, staged.headers,
    staged.key_sizes, staged.value_sizes, staged.headers_sizes, staged.record_sha256s, staged.bytes
  );
  delete from dead_letter_staging where id = of_id;
end
$$;

-- As before, with what is known of letters that were cut. The version before uses the other one.
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
  dead_key_sizes bigint[],
  dead_value_sizes bigint[],
  dead_headers_sizes bigint[],
  dead_record_sha256s bytea[],
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
      value_lengths, headers, key_sizes, value_sizes, headers_sizes, record_sha256s, bytes
    )
    values (
      of_topic, cardinality(dead_offsets), dead_by_reason, dead_partitions, dead_offsets,
      dead_reasons, dead_timestamps_ms, dead_key_lengths, dead_value_lengths, dead_headers,
      dead_key_sizes, dead_value_sizes, dead_headers_sizes, dead_record_sha256s, dead_bytes
    );
  else
    perform insert_dead_letters(
      of_topic, now(), dead_partitions, dead_offsets, dead_reasons, dead_timestamps_ms,
      dead_key_lengths, dead_value_lengths, dead_headers, dead_key_sizes, dead_value_sizes,
      dead_headers_sizes, dead_record_sha256s, dead_bytes
    );
  end if;
end
$$;
