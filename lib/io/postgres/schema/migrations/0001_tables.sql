-- The one pipeline of this database: what it counts, and how far event time has come.
create table pipeline (
  only_one boolean primary key default true check (only_one),
  -- Another value of any of these makes other counts: a start with one is refused.
  cluster_id text not null,
  topic text not null,
  group_id text not null,
  window_seconds integer not null check (window_seconds > 0),
  max_future_seconds integer not null check (max_future_seconds >= 0),
  event_rules integer not null,
  -- Raised by every reset, so that a worker from before it can never commit.
  epoch bigint not null default 1,
  watermark timestamptz,
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
);

-- The only truth about progress: moved in the same transaction as the counts.
create table kafka_offsets (
  topic text not null,
  partition integer not null,
  epoch bigint not null,
  next_offset bigint not null check (next_offset >= 0),
  -- Records counted and dead-lettered, which together are the records read.
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
  received_at timestamptz not null default now(),
  primary key (topic, partition, kafka_offset)
);

create index dead_letters_received_at on dead_letters (received_at);
