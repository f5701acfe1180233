-- When operators were last mailed about each cause, so that several workers do not all mail.
create table alerts (
  cause text primary key,
  mailed_at timestamptz not null,
  -- How often the cause came up since, in vain; and how often before the last mail.
  repeats integer not null default 0,
  repeats_before integer not null default 0
);

-- Workers that run. A row is deleted when its worker ends well, so one that is left
-- although no session has its name is that of a worker that was killed.
create table workers (
  id text primary key,
  host text not null,
  started_at timestamptz not null default now()
);
