-- Secret addresses of calendars, for calendar programs that cannot send a token.

create table calendar_links (
  id uuid primary key,
  account_id uuid constraint calendar_links_account_id_exists references accounts on delete cascade,
  client_id uuid constraint calendar_links_client_id_exists references clients on delete cascade,
  name text not null constraint calendar_links_name_length check (is_text(name, 200)),
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
create index calendar_links_by_municipality on calendar_links (municipality_code, id)
  where municipality_code is not null;

create trigger set_version before update on calendar_links for each row execute function set_version();

comment on table calendar_links is
  'Secret addresses of calendars, for calendar programs that cannot send a token. A calendar shows the events that the owner of the link can see.';
comment on column calendar_links.id is 'UUIDv7. It names the link and gives no access.';
comment on column calendar_links.account_id is 'The owner of the link, if it is an account.';
comment on column calendar_links.client_id is 'The owner of the link, if it is a client.';
comment on column calendar_links.name is 'The name that the owner gave to the link, at most 200 characters.';
comment on column calendar_links.municipality_code is
  'The municipality whose events the calendar shows. Null if it shows those of the whole region.';
comment on column calendar_links.lang is
  'The preferred language of texts: fi, sv or en. Texts without that part are shown in another language.';
comment on column calendar_links.secret_hash is 'SHA-256 of a random secret of 256 bits.';
comment on column calendar_links.version is 'A new version is drawn from the sequence versions at every write.';
comment on column calendar_links.created_at is 'When the row was created.';
comment on column calendar_links.updated_at is 'When the row was last written.';
