create table accounts (
  id uuid primary key,
  email text not null constraint accounts_email_format
    check (email = lower(email) and char_length(email) between 3 and 254 and email like '%_@_%'),
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
    else municipality_code is not null and tutor_id is not null end)
);
create index accounts_by_access_change on accounts (access_changed_at) where access_changed_at is not null;
create index accounts_by_municipality on accounts (municipality_code) where municipality_code is not null;
create index accounts_by_tutor on accounts (tutor_id) where tutor_id is not null;

create table clients (
  id uuid primary key,
  name text not null constraint clients_name_length check (char_length(name) <= 200 and name ~ '\S'),
  source text not null constraint clients_source_format
    check (source ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length(source) <= 50 and source <> 'kuntatutorit'),
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

create table client_secrets (
  client_id uuid references clients on delete cascade,
  secret_hash bytea not null constraint client_secrets_hash_length check (octet_length(secret_hash) = 32),
  created_at timestamptz not null default now(),
  primary key (client_id, secret_hash)
);

create function limit_client_secrets() returns trigger language plpgsql as $$
begin
  perform from clients where id = new.client_id for update;
  if (select count(*) from client_secrets where client_id = new.client_id) >= 2 then
    raise check_violation using constraint = 'client_secrets_at_most_two',
      message = 'a client has two live secrets at most';
  end if;
  return new;
end $$;
comment on function limit_client_secrets is 'Two secrets may live at a time, for rotation.';
create trigger limit_secrets before insert on client_secrets
  for each row execute function limit_client_secrets();

create function stamp_access_change() returns trigger language plpgsql as $$
begin
  new.access_changed_at := clock_timestamp();
  return new;
end $$;
comment on function stamp_access_change is
  'Before what a caller may do changes: access tokens issued until now are refused.';
create trigger stamp_access_change before update on accounts for each row
  when ((old.role, old.municipality_code, old.tutor_id, old.disabled, old.password_hash)
    is distinct from (new.role, new.municipality_code, new.tutor_id, new.disabled, new.password_hash))
  execute function stamp_access_change();
create trigger stamp_access_change before update on clients for each row
  when ((old.scopes, old.municipality_code, old.source, old.disabled)
    is distinct from (new.scopes, new.municipality_code, new.source, new.disabled))
  execute function stamp_access_change();

create trigger set_version before update on accounts for each row execute function set_version();
create trigger set_version before update on clients for each row execute function set_version();

create table sign_in_failures (
  subject bytea constraint sign_in_failures_subject_length check (octet_length(subject) = 32),
  address text constraint sign_in_failures_address_length check (char_length(address) <= 64),
  failures int not null default 1,
  last_failed_at timestamptz not null default now(),
  primary key (subject, address)
);
create index sign_in_failures_by_time on sign_in_failures (last_failed_at);

comment on table accounts is 'People who sign in.';
comment on column accounts.id is 'UUIDv7; the sub of the account''s access tokens.';
comment on column accounts.email is 'Personal data. In lower case.';
comment on column accounts.role is 'coordinator, municipality or tutor.';
comment on column accounts.municipality_code is 'The municipality that the account acts for.';
comment on column accounts.tutor_id is 'The tutor that the account is.';
comment on column accounts.password_hash is 'argon2id, in PHC form; null until a password is set.';
comment on column accounts.disabled is 'A disabled account is refused everywhere.';
comment on column accounts.access_changed_at is 'Access tokens issued before this are refused.';
comment on column accounts.version is 'Drawn from versions at every write.';
comment on column accounts.created_at is 'When the row was made.';
comment on column accounts.updated_at is 'When the row was last written.';
comment on table clients is 'Partner systems that sign in with client credentials.';
comment on column clients.id is 'UUIDv7; the OAuth client_id and the sub of its access tokens.';
comment on column clients.name is 'What people call the system, up to 200 characters.';
comment on column clients.source is 'The source of everything that the client makes.';
comment on column clients.scopes is 'What the client may ask for.';
comment on column clients.municipality_code is 'The municipality that the client writes for; null: the whole region.';
comment on column clients.disabled is 'A disabled (revoked) client is refused everywhere.';
comment on column clients.access_changed_at is 'Access tokens issued before this are refused.';
comment on column clients.version is 'Drawn from versions at every write.';
comment on column clients.created_at is 'When the row was made.';
comment on column clients.updated_at is 'When the row was last written.';
comment on table client_secrets is 'The secrets that clients sign in with, two each at most.';
comment on column client_secrets.client_id is 'The client.';
comment on column client_secrets.secret_hash is 'SHA-256 of a random secret of 256 bits.';
comment on column client_secrets.created_at is 'When the secret was made.';
comment on table sign_in_failures is 'Failed sign-ins per account and address, for throttling on all instances.';
comment on column sign_in_failures.subject is 'SHA-256 of the e-mail address or client id that was tried.';
comment on column sign_in_failures.address is 'The network address that tried.';
comment on column sign_in_failures.failures is 'How many in a row.';
comment on column sign_in_failures.last_failed_at is 'When the last one was.';
