-- Epochs of the ledger of changes. A transaction number orders the changes only within one history of one server: after a
-- dump is restored into another server, or after a failover that lost the last writes, the same numbers come again. So the
-- ledger is ordered by epoch first, and a new epoch begins whenever the database finds itself in another place.

create table ledger_epochs (
  ordinal int constraint ledger_epochs_pkey primary key,
  id uuid not null default gen_random_uuid() constraint ledger_epochs_id unique,
  continues boolean not null default true,
  system_identifier bigint,
  timeline int,
  database_oid oid,
  table_oid oid,
  began_at_xid bigint not null,
  began_at timestamptz not null default now(),
  constraint ledger_epochs_ordinal check (ordinal > 0)
);
comment on table ledger_epochs is
  'The epochs of the ledger: stretches in which one server wrote one history. The newest one is the current epoch.';
comment on column ledger_epochs.ordinal is
  'The order of the epochs. The first one has the changes from before the ledger had epochs, and those of a dump of version 0.1.';
comment on column ledger_epochs.id is
  'Tells the epoch apart from those of other databases and of states that were lost. It is in the cursors of the API.';
comment on column ledger_epochs.continues is
  'Whether cursors of earlier epochs stay valid. False when an operator has said that writes were lost.';
comment on column ledger_epochs.system_identifier is
  'The identifier of the PostgreSQL cluster. Null in the first epoch, and where the function that reads it is not allowed.';
comment on column ledger_epochs.timeline is
  'The timeline of the cluster; each promotion and each recovery to a point in time begins another. Null in the first epoch, and where the functions that read it are not allowed.';
comment on column ledger_epochs.database_oid is 'The object id of the database. A copy of the database has another one.';
comment on column ledger_epochs.table_oid is
  'The object id of the table ledger_epochs. A dump that is restored has another one, a replica has the same.';
comment on column ledger_epochs.began_at_xid is
  'The transaction number that follows the newest one of the previous epoch in the ledger.';
comment on column ledger_epochs.began_at is 'When the epoch was added.';

insert into ledger_epochs (ordinal, began_at_xid) values (1, 0);

-- The default is also for the dump of a version that has no epochs.
alter table changes add column epoch int not null default 1;
comment on column changes.epoch is 'The ordinal of the epoch in which the change was made.';
comment on column changes.xid is
  'The transaction that made the change. Readers see the row once no older transaction of its epoch can still commit: those of an earlier epoch at once, those of the current one below ledger_horizon().';

create index changes_of_resource_by_epoch on changes (resource, epoch, xid, seq);
drop index changes_of_resource;
alter index changes_of_resource_by_epoch rename to changes_of_resource;

-- The functions below run with the rights of the owner, so that the epoch is the same whatever role asks, and so that a role
-- that only serves requests needs no rights for them.

create function ledger_identity(
  out system_identifier bigint, out timeline int, out database_oid oid, out table_oid oid)
language plpgsql security definer as $$
begin
  select oid into database_oid from pg_database where datname = current_database();
  table_oid := 'ledger_epochs'::regclass;
  begin
    select control.system_identifier into system_identifier from pg_control_system() as control;
  exception when insufficient_privilege or feature_not_supported or undefined_function then
    null;
  end;
  begin
    timeline := ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int;
  exception when insufficient_privilege or feature_not_supported or undefined_function then
    null;
  end;
end $$;
comment on function ledger_identity is
  'Where the database is: the cluster, its timeline, and the object ids of the database and of the table ledger_epochs. Some managed services do not allow the functions for the first two, which are null then.';

create function begin_ledger_epoch(continues boolean) returns void
language plpgsql security definer as $$
declare
  previous ledger_epochs;
begin
  lock table ledger_epochs in exclusive mode;
  -- Waits for the transactions that have written changes of the previous epoch. All of its changes are visible afterwards.
  lock table changes in share mode;
  select * into previous from ledger_epochs order by ordinal desc limit 1;
  insert into ledger_epochs (ordinal, continues, began_at_xid, system_identifier, timeline, database_oid, table_oid)
  select previous.ordinal + 1, begin_ledger_epoch.continues,
    -- The index of the ledger begins with the collection, so each collection is searched by itself.
    coalesce((select max(newest.xid) + 1 from pg_trigger join pg_class on pg_class.oid = tgrelid
      cross join lateral (select xid from changes where resource = relname and epoch = previous.ordinal
        order by xid desc limit 1) as newest
      where tgname = 'record_change'), previous.began_at_xid),
    here.*
  from ledger_identity() as here;
  -- The first epoch after the migration follows the history of this database, in which every version is known. A later one
  -- continues above every version that was lost. The time also tells apart two recoveries from the same backup.
  if previous.database_oid is not null then
    perform setval('versions',
      greatest(nextval('versions') + 1000000000, (extract(epoch from clock_timestamp()) * 1000000)::bigint));
  end if;
end $$;
comment on function begin_ledger_epoch is
  'Begins an epoch. It also advances the versions, by 1,000,000,000 at least and to the time in microseconds, so that no version and no ETag is given to two contents.';
revoke execute on function begin_ledger_epoch from public;

create function is_ledger_epoch_current() returns boolean
language plpgsql security definer as $$
declare
  newest ledger_epochs;
  here record;
begin
  select * into newest from ledger_epochs order by ordinal desc limit 1;
  here := ledger_identity();
  -- The table is empty only while a dump is being restored.
  return newest.ordinal is null
    or (newest.system_identifier, newest.timeline, newest.database_oid, newest.table_oid)
      is not distinct from (here.system_identifier, here.timeline, here.database_oid, here.table_oid);
end $$;
comment on function is_ledger_epoch_current is 'Whether the database is where it was when the newest epoch began.';

create function announce_ledger_epoch() returns void
language plpgsql security definer as $$
begin
  -- A standby writes nothing.
  if pg_is_in_recovery() or is_ledger_epoch_current() then
    return;
  end if;
  -- Several connections may find this out at the same time. The first one begins the epoch.
  lock table ledger_epochs in exclusive mode;
  if not is_ledger_epoch_current() then
    perform begin_ledger_epoch(true);
  end if;
end $$;
comment on function announce_ledger_epoch is
  'Begins an epoch if the database is not where it was when the newest epoch began. Each connection of the service calls it before anything else.';

-- Without pg_temp at the end, PostgreSQL would look for tables among the caller's temporary ones first, and a caller could
-- have the owner run a trigger of its own.
do $$ declare definer regproc; begin
  foreach definer in array array['ledger_identity', 'begin_ledger_epoch', 'is_ledger_epoch_current', 'announce_ledger_epoch']::regproc[]
  loop
    execute format('alter function %s set search_path = %I, pg_temp', definer, current_schema());
  end loop;
end $$;

create or replace function record_change() returns trigger language plpgsql as $$
declare
  changed record;
  changed_key text;
  authors text := current_setting('kuntatutorit.authors', true);
  author text[];
begin
  if tg_op = 'DELETE' then changed := old; else changed := new; end if;
  case tg_argv[0]
    when 'id' then changed_key := changed.id;
    when 'code' then changed_key := changed.code;
    when 'slug' then changed_key := changed.slug;
  end case;
  if authors <> '' then
    -- One statement writes rows of several callers. The setting has a line `key actor request_id` for each row. Finding
    -- the line by the position of its key costs the same for each row, however many lines there are.
    author := string_to_array(split_part(substr(authors, strpos(authors, changed_key), 300), E'\n', 1), ' ');
  else
    author := array[changed_key, current_setting('kuntatutorit.actor', true), current_setting('kuntatutorit.request_id', true)];
  end if;
  insert into changes (resource, key, operation, version, actor, request_id, epoch) values (
    tg_table_name,
    changed_key,
    case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
    changed.version,
    nullif(author[2], ''),
    nullif(author[3], ''),
    (select ordinal from ledger_epochs order by ordinal desc limit 1));
  return null;
end $$;

do $$ begin perform announce_ledger_epoch(); end $$;
