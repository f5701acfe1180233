-- The one pipeline of this database: what it counts, and how far it has come.
create table pipeline (
  only_one boolean primary key default true check (only_one),
  -- Any other value of these would give other counts, so a start with one is refused.
  cluster_id text not null,
  topic text not null,
  group_id text not null,
  window_seconds integer not null check (window_seconds > 0),
  max_future_seconds integer not null check (max_future_seconds >= 0),
  event_rules integer not null,
  -- Raised by every reset, so that a worker from before it can never commit.
  epoch bigint not null default 1,
  watermark timestamptz,
  -- Windows that end at or before it are closed. Never falls.
  closed_up_to timestamptz,
  -- Windows that start before it are deleted, and no others. Never falls.
  aggregates_horizon timestamptz,
  -- The ledger balances: sum(event_count) + deleted_events = sum(counted) + replayed_letters.
  deleted_events bigint not null default 0,
  replayed_letters bigint not null default 0,
  -- Closed windows that start before it were put into the outbox. Null: nothing was ever published.
  outbox_up_to timestamptz,
  -- The database that the output was last compared with; null: it is to be compared.
  output_compared_with text,
  created_at timestamptz not null default now()
);

-- Events per window, lottery and type. Late events are added whenever they come.
create table lottery_aggregates (
  window_start timestamptz not null,
  window_end timestamptz not null,
  lottery_name text not null,
  event_type text not null,
  event_count bigint not null check (event_count > 0),
  updated_at timestamptz not null default now(),
  primary key (window_start, lottery_name, event_type)
) with (
  -- The rows of the open minute are updated four times a second. Half of each page is left free for
  -- that: the new version stays in its page, needs no entry in the index, and is cleaned up by the
  -- next one (HOT). With 3,000 names a minute, no update was HOT in full pages; with half of them
  -- free 99.9 % were, and the table was a thirtieth as large.
  fillfactor = 50,
  -- What is left to vacuum lies in the newest minutes, however large the table is.
  autovacuum_vacuum_scale_factor = 0.02
);

-- The only truth about progress: moved in the same transaction as the counts.
create table kafka_offsets (
  topic text not null,
  partition integer not null,
  epoch bigint not null,
  -- Where counting began: records before it are in none of these counts.
  first_offset bigint not null default 0,
  next_offset bigint not null check (next_offset >= 0),
  -- Records counted and dead-lettered: their sum is the records read.
  counted bigint not null default 0,
  dead bigint not null default 0,
  -- Greatest event time counted, but not further ahead than the clock allows.
  max_event_time timestamptz,
  -- When next_offset was last known to be the end of the log.
  caught_up_at timestamptz,
  -- The last record batch that was counted: tells whether it is still the same log.
  last_batch_offset bigint,
  last_batch_crc bigint,
  -- When next_offset was last moved.
  updated_at timestamptz not null default now(),
  primary key (topic, partition)
) with (fillfactor = 50);

-- For audit: how far each partition was, every ten minutes, and up to which event time. Once the log
-- begins at or before next_offset, every window after max_event_time can be recounted.
create table offset_history (
  topic text not null,
  partition integer not null,
  next_offset bigint not null,
  max_event_time timestamptz,
  counted bigint not null,
  dead bigint not null,
  at timestamptz not null default now(),
  primary key (topic, partition, at)
);

-- For audit: windows so far ahead of the clock that max_event_time does not cover them.
create table windows_ahead (
  window_start timestamptz primary key
);

-- Records that could not be counted, as they came.
create table dead_letters (
  topic text not null,
  partition integer not null,
  kafka_offset bigint not null,
  reason text not null,
  record_timestamp timestamptz,
  key bytea,
  value bytea,
  -- [{"key": text or "key_base64": text, "value_base64": text or null}, ...]
  headers jsonb not null,
  -- Only of a record that was cut: how many bytes it had (null where it had none), and the SHA-256
  -- of its key, value and headers as the log holds them.
  key_size bigint,
  value_size bigint,
  headers_size bigint,
  record_sha256 bytea,
  -- letter_sha256 of what was stored: tells whether it was changed since.
  content_sha256 bytea,
  received_at timestamptz not null default now(),
  -- Null until the letter was replayed: the value that was counted then (the letter's own, or a
  -- repaired one), and the window that it was counted into.
  replayed_at timestamptz,
  replayed_value bytea,
  replayed_window timestamptz,
  primary key (topic, partition, kafka_offset)
);

create index dead_letters_received_at on dead_letters (received_at);

-- Dead letters deleted for their age: the number of dead letters + sum(deleted) = sum(dead).
create table dead_letter_horizons (
  topic text not null,
  partition integer not null,
  -- Letters below it may be missing; from it on none is.
  horizon_offset bigint not null,
  deleted bigint not null,
  primary key (topic, partition)
);

-- Counts that consumers do not have yet. A count that changes before it was sent is still one row,
-- with its last value and revision. A row is deleted once the broker has acknowledged exactly this
-- revision. "Everything after the last id" would not do: ids become visible out of order.
create table outbox (
  window_start timestamptz not null,
  window_end timestamptz not null,
  lottery_name text not null,
  event_type text not null,
  event_count bigint not null,
  revision bigint not null,
  primary key (window_start, lottery_name, event_type)
);

-- Later revisions of one count are greater, because they are drawn while the count is locked.
-- A reset leaves the sequence alone, so that what is recounted is newer, too.
create sequence count_revisions;

-- The worker that publishes, and until when the others wait for it.
create table output_publisher (
  only_one boolean primary key default true check (only_one),
  holder text not null,
  held_until timestamptz not null
);

-- When operators were last mailed about each cause, so that several workers do not all mail.
create table alerts (
  cause text primary key,
  mailed_at timestamptz not null,
  -- How often the cause came up since then without a mail, and before the last mail.
  repeats integer not null default 0,
  repeats_before integer not null default 0
);

-- Workers that run, each of which renews its row by the clock of this database: poolers rename
-- sessions, and not every role may see them. A worker that ends well deletes its row.
create table workers (
  id text primary key,
  host text not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz,
  -- Since when the row was renewed without a gap.
  steady_since timestamptz,
  -- The partitions that the worker counts.
  partitions integer[] not null default '{}'
);

-- Workers that have renewed their row within the time of four renewals. A time in the future only
-- means that the clock was set back since.
create view living_workers as
select id, host, started_at, seen_at, partitions
from workers
where seen_at between clock_timestamp() - interval '20 s' and clock_timestamp() + interval '20 s';

-- Each window with the sum of its events, and whether event time has passed its end by the grace.
create view lottery_windows as
select
  window_start,
  window_end,
  coalesce(window_end <= (select closed_up_to from pipeline), false) as closed,
  sum(event_count)::bigint as events,
  count(distinct lottery_name) as lotteries,
  max(updated_at) as updated_at
from lottery_aggregates
group by window_start, window_end;
