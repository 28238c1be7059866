-- Signing in: sessions with their refresh tokens, invitations to set a password, and the count of failed attempts.
-- Here the rules of expiry count from created_at and last_failed_at, so these columns use clock_now() too.

create table sessions (
  id uuid primary key,
  account_id uuid not null constraint sessions_account_id_exists references accounts on delete cascade,
  created_at timestamptz not null default clock_now(),
  expires_at timestamptz not null default clock_now() + interval '30 days',
  constraint sessions_expire_within_30_days check (expires_at <= created_at + interval '30 days')
);
create index sessions_by_account on sessions (account_id);
create index sessions_by_expiry on sessions (expires_at);

create table refresh_tokens (
  token_hash bytea primary key constraint refresh_tokens_hash_length check (octet_length(token_hash) = 32),
  session_id uuid not null constraint refresh_tokens_session_id_exists references sessions on delete cascade,
  created_at timestamptz not null default clock_now(),
  rotated_at timestamptz
);
create index refresh_tokens_by_session on refresh_tokens (session_id);
create unique index refresh_tokens_one_live on refresh_tokens (session_id) where rotated_at is null;

create table invitations (
  account_id uuid primary key constraint invitations_account_id_exists references accounts on delete cascade,
  secret_hash bytea not null constraint invitations_hash_length check (octet_length(secret_hash) = 32),
  created_at timestamptz not null default clock_now(),
  expires_at timestamptz not null default clock_now() + interval '7 days',
  constraint invitations_secret_unique unique (secret_hash)
);
create index invitations_by_expiry on invitations (expires_at);

create function end_sessions_and_invitations() returns trigger language plpgsql as $$
begin
  delete from sessions where account_id = new.id;
  delete from invitations where account_id = new.id;
  return null;
end $$;
comment on function end_sessions_and_invitations is
  'After an account is disabled or gets another password: ends its sessions and its invitation.';
create trigger end_sessions_and_invitations after update on accounts for each row
  when (new.disabled and not old.disabled or new.password_hash is distinct from old.password_hash)
  execute function end_sessions_and_invitations();

create table sign_in_failures (
  subject bytea constraint sign_in_failures_subject_length check (octet_length(subject) = 32),
  address text constraint sign_in_failures_address_length check (char_length(address) <= 64),
  failures int not null default 1,
  last_failed_at timestamptz not null default clock_now(),
  primary key (subject, address)
);
create index sign_in_failures_by_time on sign_in_failures (last_failed_at);

comment on table sessions is 'The sessions of signed-in people. A session is continued by a chain of refresh tokens.';
comment on column sessions.id is 'UUIDv7.';
comment on column sessions.account_id is 'The account that is signed in.';
comment on column sessions.created_at is 'When the person signed in.';
comment on column sessions.expires_at is 'When the person must sign in again, at most 30 days later.';
comment on table refresh_tokens is
  'All refresh tokens of the sessions that have not ended. In each session one of them is unused.';
comment on column refresh_tokens.token_hash is 'SHA-256 of a random token of 256 bits.';
comment on column refresh_tokens.session_id is 'The session that the token continues.';
comment on column refresh_tokens.created_at is 'When the token was issued.';
comment on column refresh_tokens.rotated_at is 'When the token was exchanged for the next one. Null while it is unused.';
comment on table invitations is 'One-time secrets with which people set a password, at most one for each account.';
comment on column invitations.account_id is 'The account whose password can be set.';
comment on column invitations.secret_hash is 'SHA-256 of a random secret of 256 bits.';
comment on column invitations.created_at is 'When the invitation was created.';
comment on column invitations.expires_at is 'When the invitation can no longer be used.';
comment on table sign_in_failures is
  'Failed attempts to sign in, for each account or client and each network address. All instances of the service count here.';
comment on column sign_in_failures.subject is 'SHA-256 of the e-mail address or the client id.';
comment on column sign_in_failures.address is 'The network address that the attempts came from.';
comment on column sign_in_failures.failures is 'Number of failures in a row.';
comment on column sign_in_failures.last_failed_at is 'When the last attempt failed.';
