-- Who lives is known from a row that each worker renews, by the clock of this database: poolers
-- rename sessions, and not everyone may see them.
alter table workers
  -- When the worker last renewed its row; null for a version that does not, which is not judged.
  add column seen_at timestamptz,
  -- Since when it has renewed it without a gap.
  add column steady_since timestamptz,
  -- The partitions that it counts.
  add column partitions integer[] not null default '{}';

-- Workers that have renewed their row within the time of four renewals. A time ahead of the clock
-- that it was taken from tells that the clock was set back since, and no more.
create view living_workers as
select id, host, started_at, seen_at, partitions
from workers
where seen_at between clock_timestamp() - interval '20 s' and clock_timestamp() + interval '20 s';
