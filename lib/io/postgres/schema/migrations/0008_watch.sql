-- The proof that stands, and lotteries whose business has stopped.

-- What each round of `audit --watch` has found.
create table audits (
  -- When the tables were as they were compared.
  at timestamptz primary key,
  -- Rows of windows that start in [from_time, to_time) were recounted, and those of later windows as
  -- far as they were counted. Null from_time: everything that can be proved.
  from_time timestamptz,
  to_time timestamptz,
  -- Records that were read again.
  records bigint not null,
  -- Rows of counts, hours and dead letters that agree.
  rows bigint not null,
  -- Rows, hours, dead letters, partitions and sums that are wrong.
  wrong bigint not null,
  not_provable bigint not null,
  seconds double precision not null,
  verdict text not null check (verdict in ('agrees', 'not provable', 'incomplete', 'wrong')),
  -- The first of those that are wrong, a sentence each.
  first_wrong text[] not null default '{}',
  -- How long after it the next round begins.
  round_seconds integer not null
);

-- Lotteries and event types that are quiet: far fewer events than the same time of other weeks had.
create table quiet_lotteries (
  lottery_name text not null,
  event_type text not null,
  -- Start of the windows that were judged first.
  quiet_since timestamptz not null,
  noticed_at timestamptz not null default now(),
  -- As it was judged last: windows that start in [judged_from, judged_to), their events, and how many
  -- were expected by how many weeks.
  judged_from timestamptz not null,
  judged_to timestamptz not null,
  event_count bigint not null,
  expected_count bigint not null,
  weeks integer not null,
  primary key (lottery_name, event_type)
);

-- Roles that may read or write the counts may do so here: workers and dashboards of before keep working.
do $$
declare
  granted record;
begin
  for granted in
    select
      privilege_type,
      case when grantee = 0 then 'public' else grantee::regrole::text end as role
    from pg_class
    cross join aclexplode(relacl)
    where oid = 'lottery_aggregates'::regclass and grantee <> relowner
  loop
    execute format(
      'grant %s on audits, quiet_lotteries to %s', granted.privilege_type, granted.role
    );
  end loop;
end
$$;
