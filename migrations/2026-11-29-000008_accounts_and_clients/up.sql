-- Access to the service: accounts of people and clients of partner systems.

-- Accounts ----------------------------------------------------------------------------------------------------------

create table accounts (
  id uuid primary key,
  email text not null constraint accounts_email_format check (email = lower(email) and is_email(email)),
  role text not null constraint accounts_role check (role in ('coordinator', 'municipality', 'tutor')),
  municipality_code text constraint accounts_municipality_code_exists references municipalities,
  tutor_id uuid constraint accounts_tutor_id_exists references tutors,
  password_hash text,
  disabled boolean not null default false,
  access_changed_at timestamptz,
  version bigint not null default nextval('versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint accounts_email_unique unique (email),
  constraint accounts_role_binding check (case role
    when 'coordinator' then municipality_code is null and tutor_id is null
    when 'municipality' then municipality_code is not null and tutor_id is null
    else municipality_code is not null and tutor_id is not null end),
  -- The account of a tutor moves to another municipality together with the tutor.
  constraint accounts_tutor_of_municipality
    foreign key (tutor_id, municipality_code) references tutors (id, municipality_code) on update cascade
);
create index accounts_by_access_change on accounts (access_changed_at) where access_changed_at is not null;
create index accounts_by_municipality on accounts (municipality_code) where municipality_code is not null;
create index accounts_by_role on accounts (role, id);
create index accounts_by_tutor on accounts (tutor_id) where tutor_id is not null;
create index accounts_disabled on accounts (id) where disabled;

create function stamp_access_change() returns trigger language plpgsql as $$
begin
  -- Tokens carry the second of their issue. A token that was issued after the previous change carries a later second than
  -- that change. If both changes fell into the same second, that token would outlive this change: so this change gets
  -- the next second.
  new.access_changed_at := greatest(
    clock_timestamp() + clock_offset(), date_trunc('second', old.access_changed_at) + interval '1 second');
  return new;
end $$;
comment on function stamp_access_change is
  'Before a change of the rights of an account or client: access tokens that were issued until now are refused from now on.';

create function keep_a_coordinator() returns trigger language plpgsql as $$
begin
  -- One change at a time: two transactions that disable the last two coordinators would each see the other coordinator enabled.
  perform pg_advisory_xact_lock(hashtext('keep_a_coordinator'));
  if not exists (select from accounts where role = 'coordinator' and not disabled and id <> new.id) then
    raise restrict_violation using constraint = 'last_coordinator',
      message = 'the last enabled coordinator cannot be disabled or given another role';
  end if;
  return new;
end $$;
comment on function keep_a_coordinator is
  'Before an enabled coordinator is disabled or gets another role: refuses if there is no other enabled coordinator.';

create trigger keep_a_coordinator before update of role, disabled on accounts for each row
  when (old.role = 'coordinator' and not old.disabled and (new.role <> 'coordinator' or new.disabled))
  execute function keep_a_coordinator();
create trigger set_version before update on accounts for each row execute function set_version();
create trigger stamp_access_change before update on accounts for each row
  when ((old.role, old.municipality_code, old.tutor_id, old.disabled, old.password_hash)
    is distinct from (new.role, new.municipality_code, new.tutor_id, new.disabled, new.password_hash))
  execute function stamp_access_change();

comment on table accounts is 'The people who can sign in.';
comment on column accounts.id is 'UUIDv7. It is the sub of the account''s access tokens.';
comment on column accounts.email is 'Personal data. In lower case, at most 254 characters.';
comment on column accounts.role is 'coordinator, municipality or tutor.';
comment on column accounts.municipality_code is 'The municipality that the account acts for. Null for a coordinator.';
comment on column accounts.tutor_id is 'The tutor whose account this is. Null for other roles.';
comment on column accounts.password_hash is 'Argon2id in PHC format. Null until a password is set.';
comment on column accounts.disabled is 'Whether the account is refused everywhere.';
comment on column accounts.access_changed_at is 'Access tokens that were issued before this time are refused.';
comment on column accounts.version is 'A new version is drawn from the sequence versions at every write.';
comment on column accounts.created_at is 'When the row was created.';
comment on column accounts.updated_at is 'When the row was last written.';

-- Clients -----------------------------------------------------------------------------------------------------------

create table clients (
  id uuid primary key,
  name text not null constraint clients_name_length check (is_text(name, 200)),
  source text not null
    constraint clients_source_format check (is_source_name(source) and is_slug(source) and source <> 'kuntatutorit'),
  scopes text[] not null,
  municipality_code text constraint clients_municipality_code_exists references municipalities,
  disabled boolean not null default false,
  access_changed_at timestamptz,
  version bigint not null default nextval('versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint clients_source_unique unique (source)
);
create index clients_by_access_change on clients (access_changed_at) where access_changed_at is not null;
create index clients_by_municipality on clients (municipality_code) where municipality_code is not null;
create index clients_disabled on clients (id) where disabled;

create trigger set_version before update on clients for each row execute function set_version();
create trigger stamp_access_change before update on clients for each row
  when ((old.scopes, old.municipality_code, old.source, old.disabled)
    is distinct from (new.scopes, new.municipality_code, new.source, new.disabled))
  execute function stamp_access_change();

create table client_secrets (
  id uuid primary key,
  client_id uuid not null references clients on delete cascade,
  secret_hash bytea not null constraint client_secrets_hash_length check (octet_length(secret_hash) = 32),
  created_at timestamptz not null default now(),
  constraint client_secrets_hash_unique unique (client_id, secret_hash)
);

create function limit_client_secrets() returns trigger language plpgsql as $$
begin
  -- The secrets are part of the client, so the client gets a new version. Its row lock also makes transactions that add
  -- secrets to the same client wait for each other.
  update clients set version = version where id = new.client_id;
  if (select count(*) from client_secrets where client_id = new.client_id) >= 2 then
    raise restrict_violation using constraint = 'client_secrets_at_most_two',
      message = 'a client can have at most two secrets at a time';
  end if;
  return new;
end $$;
comment on function limit_client_secrets is
  'Before a client gets a secret: refuses a third one. Two are allowed so that secrets can be rotated.';

create function renew_client_version() returns trigger language plpgsql as $$
begin
  update clients set version = version where id = old.client_id;
  return null;
end $$;
comment on function renew_client_version is
  'After a secret is deleted: the secrets are part of the client, so the client gets a new version.';

create trigger limit_secrets before insert on client_secrets
  for each row execute function limit_client_secrets();
create trigger renew_client_version after delete on client_secrets
  for each row execute function renew_client_version();

comment on table clients is 'The partner systems that sign in with client credentials.';
comment on column clients.id is 'UUIDv7. It is the OAuth client_id and the sub of the client''s access tokens.';
comment on column clients.name is 'The name of the system for people, at most 200 characters.';
comment on column clients.source is 'The source of every row that the client creates.';
comment on column clients.scopes is 'The scopes that the client can request.';
comment on column clients.municipality_code is
  'The only municipality that the client writes for. Null if it writes for the whole region.';
comment on column clients.disabled is 'Whether the client is refused everywhere.';
comment on column clients.access_changed_at is 'Access tokens that were issued before this time are refused.';
comment on column clients.version is 'A new version is drawn from the sequence versions at every write.';
comment on column clients.created_at is 'When the row was created.';
comment on column clients.updated_at is 'When the row was last written.';
comment on table client_secrets is 'The secrets that clients sign in with, at most two for each client.';
comment on column client_secrets.id is 'UUIDv7. It names the secret and gives no access.';
comment on column client_secrets.client_id is 'The client.';
comment on column client_secrets.secret_hash is 'SHA-256 of a random secret of 256 bits.';
comment on column client_secrets.created_at is 'When the secret was created.';
