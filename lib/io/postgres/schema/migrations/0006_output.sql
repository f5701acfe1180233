-- Which windows are closed, and what of them is still to be published.

alter table pipeline
  -- Windows that end at or before it are closed. Never falls.
  add column closed_up_to timestamptz,
  -- Closed windows that start before it were put into the outbox. Null: nothing was ever published.
  add column outbox_up_to timestamptz;

-- Each window with a sum of its events, and whether event time has passed its end by the grace.
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

-- Counts that consumers do not have yet. A count that changes before it was sent is one row all
-- the same, with its last value and revision. A row goes once the broker has acknowledged just
-- this revision. "Everything after the last id" would not do: ids become visible out of order.
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
-- A reset leaves the sequence alone, so that what is counted anew is newer, too.
create sequence count_revisions;

-- A database that was restored would draw revisions again that consumers have already. So whoever
-- begins to publish raises the sequence to the time in microseconds, which no revision has reached
-- yet, and draws those that wait anew (few: the outbox is filled as it empties). Nobody else draws
-- meanwhile, because who counts keeps the pipeline row.
create function renew_revisions() returns void
language plpgsql
as $$
begin
  perform 1 from pipeline for update;
  perform setval(
    'count_revisions',
    greatest(last_value, floor(extract(epoch from clock_timestamp()) * 1000000)::bigint)
  )
  from count_revisions;
  update outbox set revision = nextval('count_revisions');
end
$$;

-- The worker that publishes, and until when the others wait for it.
create table output_publisher (
  only_one boolean primary key default true check (only_one),
  holder text not null,
  held_until timestamptz not null
);

-- What changes in a window that was put into the outbox is put there again. (keep_horizon sees to
-- it that outbox_up_to does not move meanwhile.)
create function publish_correction() returns trigger
language plpgsql
as $$
begin
  insert into outbox
    (window_start, window_end, lottery_name, event_type, event_count, revision)
  select
    changed.window_start, changed.window_end, changed.lottery_name, changed.event_type,
    changed.event_count, nextval('count_revisions')
  from changed join pipeline on changed.window_start < pipeline.outbox_up_to
  order by changed.window_start, changed.lottery_name, changed.event_type
  on conflict (window_start, lottery_name, event_type) do update
    set event_count = excluded.event_count, revision = excluded.revision;
  return null;
end
$$;

create trigger publish_inserted
  after insert on lottery_aggregates
  referencing new table as changed
  for each statement execute function publish_correction();

create trigger publish_updated
  after update on lottery_aggregates
  referencing new table as changed
  for each statement execute function publish_correction();

-- Puts one step of the windows that were closed since the last one into the outbox. Commits wait
-- for it, so the steps are small. True if nothing is left to be put there.
create function fill_outbox(most_rows integer) returns boolean
language plpgsql
as $$
declare
  start_from timestamptz;
  target timestamptz;
  step timestamptz;
begin
  perform 1 from pipeline where closed_up_to > coalesce(outbox_up_to, '-infinity');
  if not found then
    return true;
  end if;

  select coalesce(outbox_up_to, '-infinity'), closed_up_to
  into strict start_from, target
  from pipeline
  for update;
  if start_from >= target then -- another worker was faster
    return true;
  end if;

  step := step_end(start_from, target, most_rows);
  insert into outbox
    (window_start, window_end, lottery_name, event_type, event_count, revision)
  select
    window_start, window_end, lottery_name, event_type, event_count, nextval('count_revisions')
  from lottery_aggregates
  where window_start >= start_from and window_start < step
  on conflict (window_start, lottery_name, event_type) do update
    set event_count = excluded.event_count, revision = excluded.revision;

  update pipeline set outbox_up_to = step;
  return step = target;
end
$$;
