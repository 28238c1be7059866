-- What calendar programs need: a count of an event's revisions, and links that need no token.

alter table events add column sequence int not null default 0;
comment on column events.sequence is
  'How often what a calendar shows has changed: the SEQUENCE of RFC 5545, section 3.8.7.4.';

create function count_revision() returns trigger language plpgsql as $$
begin
  new.sequence := old.sequence + 1;
  return new;
end $$;
comment on function count_revision is 'Before a change of what a calendar shows of an event.';
create trigger count_revision before update on events for each row
  when ((old.title, old.description, old.starts_at, old.ends_at, old.time_zone, old.venue, old.online_url, old.status,
      old.status_reason)
    is distinct from (new.title, new.description, new.starts_at, new.ends_at, new.time_zone, new.venue, new.online_url,
      new.status, new.status_reason))
  execute function count_revision();

create table calendar_links (
  id uuid primary key,
  account_id uuid constraint calendar_links_account_id_exists references accounts on delete cascade,
  client_id uuid constraint calendar_links_client_id_exists references clients on delete cascade,
  name text not null constraint calendar_links_name_length check (char_length(name) <= 200 and name ~ '\S'),
  municipality_code text constraint calendar_links_municipality_code_exists references municipalities,
  lang text not null constraint calendar_links_lang check (lang in ('fi', 'sv', 'en')),
  secret_hash bytea not null constraint calendar_links_hash_length check (octet_length(secret_hash) = 32),
  version bigint not null default nextval('versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint calendar_links_secret_unique unique (secret_hash),
  constraint calendar_links_one_owner check (num_nonnulls(account_id, client_id) = 1)
);
create index calendar_links_by_account on calendar_links (account_id, id) where account_id is not null;
create index calendar_links_by_client on calendar_links (client_id, id) where client_id is not null;
create index calendar_links_by_municipality on calendar_links (municipality_code) where municipality_code is not null;
create trigger set_version before update on calendar_links for each row execute function set_version();

comment on table calendar_links is
  'Secret addresses of calendars, for programs that send no bearer token. Each shows what its owner sees.';
comment on column calendar_links.id is 'UUIDv7; it opens nothing.';
comment on column calendar_links.account_id is 'Whose link it is, when it is a person''s.';
comment on column calendar_links.client_id is 'Whose link it is, when it is a partner system''s.';
comment on column calendar_links.name is 'What its owner calls it, up to 200 characters.';
comment on column calendar_links.municipality_code is 'Whose events it shows; null: the whole region''s.';
comment on column calendar_links.lang is 'The language that texts are shown in where they have it: fi, sv or en.';
comment on column calendar_links.secret_hash is 'SHA-256 of a random secret of 256 bits.';
comment on column calendar_links.version is 'Drawn from versions at every write.';
comment on column calendar_links.created_at is 'When the row was made.';
comment on column calendar_links.updated_at is 'When the row was last written.';
