create table sessions (
  id uuid primary key,
  account_id uuid not null constraint sessions_account_id_exists references accounts on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '30 days',
  constraint sessions_expire_within_30_days check (expires_at <= created_at + interval '30 days')
);
create index sessions_by_account on sessions (account_id);
create index sessions_by_expiry on sessions (expires_at);

create table refresh_tokens (
  token_hash bytea primary key constraint refresh_tokens_hash_length check (octet_length(token_hash) = 32),
  session_id uuid not null constraint refresh_tokens_session_id_exists references sessions on delete cascade,
  created_at timestamptz not null default now(),
  rotated_at timestamptz
);
create index refresh_tokens_by_session on refresh_tokens (session_id);
create unique index refresh_tokens_one_live on refresh_tokens (session_id) where rotated_at is null;

create table invitations (
  account_id uuid primary key constraint invitations_account_id_exists references accounts on delete cascade,
  secret_hash bytea not null constraint invitations_hash_length check (octet_length(secret_hash) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '7 days',
  constraint invitations_secret_unique unique (secret_hash)
);

create or replace function stamp_access_change() returns trigger language plpgsql as $$
begin
  -- A token that was issued after the change before is of a later second than that change: so is this one, or the
  -- token would outlive it when both changes are of the same second.
  new.access_changed_at :=
    greatest(clock_timestamp(), date_trunc('second', old.access_changed_at) + interval '1 second');
  return new;
end $$;

create function end_access() returns trigger language plpgsql as $$
begin
  delete from sessions where account_id = new.id;
  delete from invitations where account_id = new.id;
  return null;
end $$;
comment on function end_access is
  'After an account is disabled or gets another password: what opened it until now opens it no longer.';
create trigger end_access after update on accounts for each row
  when (new.disabled and not old.disabled or new.password_hash is distinct from old.password_hash)
  execute function end_access();

create function keep_a_coordinator() returns trigger language plpgsql as $$
begin
  -- One after the other: each of two who go at once would count on the other one.
  perform pg_advisory_xact_lock(hashtext('keep_a_coordinator'));
  if not exists (select from accounts where role = 'coordinator' and not disabled and id <> new.id) then
    raise restrict_violation using constraint = 'last_coordinator',
      message = 'the last enabled coordinator cannot be disabled or given another role';
  end if;
  return new;
end $$;
comment on function keep_a_coordinator is
  'Before an enabled coordinator is disabled or given another role: another one must stay.';
create trigger keep_a_coordinator before update of role, disabled on accounts for each row
  when (old.role = 'coordinator' and not old.disabled and (new.role <> 'coordinator' or new.disabled))
  execute function keep_a_coordinator();

-- An account moves with its tutor, so that it always acts for the tutor's municipality.
alter table tutors add constraint tutors_id_municipality_unique unique (id, municipality_code);
alter table accounts add constraint accounts_tutor_of_municipality
  foreign key (tutor_id, municipality_code) references tutors (id, municipality_code) on update cascade;

alter table client_secrets add column id uuid not null default gen_random_uuid();
alter table client_secrets alter column id drop default;
alter table client_secrets drop constraint client_secrets_pkey;
alter table client_secrets alter column client_id set not null;
alter table client_secrets add primary key (id),
  add constraint client_secrets_hash_unique unique (client_id, secret_hash);

create or replace function limit_client_secrets() returns trigger language plpgsql as $$
begin
  -- A client's secrets are part of it: this draws its next version, and makes parallel ones wait.
  update clients set version = version where id = new.client_id;
  if (select count(*) from client_secrets where client_id = new.client_id) >= 2 then
    raise restrict_violation using constraint = 'client_secrets_at_most_two',
      message = 'a client has two live secrets at most';
  end if;
  return new;
end $$;

create function touch_client() returns trigger language plpgsql as $$
begin
  update clients set version = version where id = old.client_id;
  return null;
end $$;
comment on function touch_client is 'After a secret is gone: a client''s secrets are part of it, so it has a new version.';
create trigger touch_client after delete on client_secrets for each row execute function touch_client();

comment on table sessions is 'People who are signed in: what a chain of refresh tokens continues.';
comment on column sessions.id is 'UUIDv7.';
comment on column sessions.account_id is 'Who is signed in.';
comment on column sessions.created_at is 'When they signed in.';
comment on column sessions.expires_at is 'When they must sign in anew: 30 days later at most.';
comment on table refresh_tokens is 'Every refresh token of the sessions that live; one of each session has not been used.';
comment on column refresh_tokens.token_hash is 'SHA-256 of a random token of 256 bits.';
comment on column refresh_tokens.session_id is 'The session that it continues.';
comment on column refresh_tokens.created_at is 'When it was issued.';
comment on column refresh_tokens.rotated_at is 'When it was used for its successor; null for the one that has not been used.';
comment on table invitations is 'One-time secrets to set a password with, one for each account at most.';
comment on column invitations.account_id is 'The account that is opened.';
comment on column invitations.secret_hash is 'SHA-256 of a random secret of 256 bits.';
comment on column invitations.created_at is 'When it was made.';
comment on column invitations.expires_at is 'Until when it can be used.';
comment on column client_secrets.id is 'UUIDv7: what the secret is called; it opens nothing.';
