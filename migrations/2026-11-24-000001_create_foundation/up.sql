-- What every table of the network shares: versions, localised texts and the ledger of changes.

create sequence versions;
comment on sequence versions is
  'Every row''s version is drawn from here, so that a key made anew never repeats a version.';

create function is_localized(texts jsonb, max_length int) returns boolean
language sql immutable parallel safe
return jsonb_typeof(texts) = 'object'
  and texts <> '{}'
  and texts - array['fi', 'sv', 'en'] = '{}'
  and not jsonb_path_exists(texts, '$.* ? (@.type() != "string")')
  and not jsonb_path_exists(texts, '$.* ? (!(@ like_regex "\\S"))')
  and greatest(char_length(texts ->> 'fi'), char_length(texts ->> 'sv'), char_length(texts ->> 'en')) <= max_length;
comment on function is_localized is
  'Whether this is a localised text: parts fi, sv, en, at least one, none blank or longer than max_length characters.';

create function is_language(tag text) returns boolean
language sql immutable parallel safe
return tag ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$';
comment on function is_language is 'Whether this is a BCP 47 tag of a language, with a script and a region at most.';

create function are_languages(tags text[]) returns boolean
language sql immutable parallel safe
return array_position(tags, null) is null
  and not exists (select from unnest(tags) as tag where not is_language(tag));
comment on function are_languages is 'Whether all of these are BCP 47 tags of languages.';

create function set_version() returns trigger language plpgsql as $$
begin
  new.version := nextval('versions');
  new.created_at := old.created_at;
  new.updated_at := now();
  return new;
end $$;
comment on function set_version is 'Before an update: a new version, and the time of the change.';

create table changes (
  seq bigint generated always as identity primary key,
  xid bigint not null default pg_current_xact_id()::text::bigint,
  resource text not null,
  key text not null,
  operation text not null constraint changes_operation check (operation in ('create', 'update', 'delete')),
  version bigint not null,
  changed_at timestamptz not null default now(),
  actor text,
  request_id text
);
create index changes_in_commit_order on changes (xid, seq);
comment on table changes is
  'The ledger of what happened to the network''s resources. It has no content, so nothing personal and nothing to erase.';
comment on column changes.seq is 'The order within a transaction.';
comment on column changes.xid is
  'The writing transaction. A row counts once no older transaction can commit: xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint.';
comment on column changes.resource is 'The collection, as in the path: tutors, events, ...';
comment on column changes.key is 'The resource''s id, code or slug.';
comment on column changes.operation is 'create, update or delete.';
comment on column changes.version is 'The version after the change; of a deletion, the last one.';
comment on column changes.changed_at is 'When the writing transaction began.';
comment on column changes.actor is 'Who wrote: account:<id> or client:<id>; null when it was not the service.';
comment on column changes.request_id is 'The X-Request-Id of the request that wrote.';

create function record_change() returns trigger language plpgsql as $$
declare
  changed record;
  changed_key text;
begin
  if tg_op = 'DELETE' then changed := old; else changed := new; end if;
  case tg_argv[0]
    when 'id' then changed_key := changed.id;
    when 'code' then changed_key := changed.code;
    when 'slug' then changed_key := changed.slug;
  end case;
  insert into changes (resource, key, operation, version, actor, request_id) values (
    tg_table_name,
    changed_key,
    case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
    changed.version,
    nullif(current_setting('kuntatutorit.actor', true), ''),
    nullif(current_setting('kuntatutorit.request_id', true), ''));
  return null;
end $$;
comment on function record_change is
  'After any write: one row in the ledger. Its argument is the name of the table''s key column.';
