-- The parts that every table of the service uses: the clock, rules for single values, versions and the ledger of changes.

-- The clock ---------------------------------------------------------------------------------------------------------

create function clock_offset() returns interval
language sql stable parallel safe
return coalesce(nullif(current_setting('kuntatutorit.clock_offset', true), '')::interval, '0');
comment on function clock_offset is
  'How far the service''s clock is ahead of the real one: the setting kuntatutorit.clock_offset, an interval. Tests set it; without it there is no offset.';

create function clock_now() returns timestamptz
language sql stable parallel safe
return now() + clock_offset();
comment on function clock_now is
  'The current time for every rule about time. The times at which a row was created and last changed are recorded with now() instead.';

-- Rules for single values -------------------------------------------------------------------------------------------
-- Each rule is written here once, for every constraint, and once in Rust, in src/domain. A test compares the two.
--
-- PostgreSQL plans an SQL function anew in each statement that uses it, and a PL/pgSQL function once for each connection.
-- The rules of tables that are often written one row at a time are in PL/pgSQL, which saves a tenth of the time of such a
-- statement.
-- Their search_path is set because pg_restore checks constraints with an empty one.

create function white_space() returns text
language sql immutable parallel safe
return '\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000';
comment on function white_space is
  'The characters that Unicode calls white space, for the brackets of a regular expression. \s depends on the locale of the database and leaves out the no-break space.';

create function is_not_blank(value text) returns boolean
language sql immutable parallel safe
return value ~ ('[^' || white_space() || ']');
comment on function is_not_blank is 'Whether the value has a character that is not white space.';

create function is_text(value text, max_length int) returns boolean
language plpgsql immutable strict parallel safe set search_path from current as $$
begin
  return char_length(value) <= max_length and is_not_blank(value);
end $$;
comment on function is_text is 'Whether the value is not blank and has at most max_length characters.';

create function is_external_id(id text) returns boolean
language plpgsql immutable strict parallel safe set search_path from current as $$
begin
  return is_text(id, 200);
end $$;
comment on function is_external_id is
  'Whether the value can be the key of a row in another system: not blank, at most 200 characters.';

create function is_municipality_code(code text) returns boolean
language sql immutable parallel safe
return code ~ '^[0-9]{3}$';
comment on function is_municipality_code is
  'Whether the value has the form of Statistics Finland''s code of a municipality: three digits.';

create function is_region_code(code text) returns boolean
language sql immutable parallel safe
return code ~ '^[0-9]{2}$';
comment on function is_region_code is
  'Whether the value has the form of Statistics Finland''s code of a region: two digits.';

create function is_slug(slug text) returns boolean
language sql immutable parallel safe
return slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length(slug) <= 100;
comment on function is_slug is
  'Whether the value is a slug: lower-case letters a to z, digits and single hyphens between them, at most 100 characters.';

create function is_source_name(name text) returns boolean
language plpgsql immutable strict parallel safe set search_path from current as $$
begin
  return is_text(name, 50);
end $$;
comment on function is_source_name is
  'Whether the value can be the name of a system that rows come from: not blank, at most 50 characters. The source of a client is also a slug.';

create function is_language(tag text) returns boolean
language plpgsql immutable strict parallel safe as $$
begin
  return tag ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$';
end $$;
comment on function is_language is
  'Whether the value is a BCP 47 language tag of a language and, if any, a script and a region: fi, smn, zh-Hant, pt-BR.';

create function are_languages(tags text[]) returns boolean
language plpgsql immutable strict parallel safe set search_path from current as $$
declare
  tag text;
begin
  foreach tag in array tags loop
    if is_language(tag) is not true then
      return false;
    end if;
  end loop;
  return true;
end $$;
comment on function are_languages is 'Whether every item is a language tag.';

create function is_email(address text) returns boolean
language sql immutable parallel safe
return char_length(address) <= 254
  and strpos(address, '@') <= 65
  and address ~ ('^[A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+)*'
    || '@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$');
comment on function is_email is
  'Whether the value is an e-mail address in the dot-string form of RFC 5321: atoms separated by single dots, and a host name of at least two labels. At most 254 characters, at most 64 of them before the @.';

create function is_phone(number text) returns boolean
language sql immutable parallel safe
return number ~ '^[ +()-]*[0-9][0-9 +()-]*$' and char_length(number) between 3 and 30;
comment on function is_phone is
  'Whether the value is a phone number: 3 to 30 digits, spaces, +, -, ( and ), at least one of them a digit.';

create function is_web_address(address text) returns boolean
language plpgsql immutable strict parallel safe set search_path from current as $$
begin
  return char_length(address) <= 2000
    and address ~ '^https?://[^/\\?#:@]'
    and address !~ ('[\u0001-\u001f\u007f-\u009f' || white_space() || ']');
end $$;
comment on function is_web_address is
  'Whether the value is an http or https address with a host, without white space and control characters, of at most 2,000 characters. The service also checks that the host and the port are valid.';

-- Localised texts ---------------------------------------------------------------------------------------------------

create function content_languages() returns text[]
language sql immutable parallel safe
return array['fi', 'sv', 'en', 'se', 'smn', 'sms'];
comment on function content_languages is
  'The languages of localised texts: Finnish, Swedish, English, Northern Sámi, Inari Sámi and Skolt Sámi. If only one part is shown or used for sorting, it is the first of these that the text has.';

create function is_localized(texts jsonb, max_length int) returns boolean
language plpgsql immutable strict parallel safe set search_path from current as $$
declare
  language text;
begin
  if jsonb_typeof(texts) <> 'object' or texts = '{}' or texts - content_languages() <> '{}' then
    return false;
  end if;
  foreach language in array content_languages() loop
    if texts ? language and (jsonb_typeof(texts -> language) <> 'string'
      or char_length(texts ->> language) > max_length or not is_not_blank(texts ->> language))
    then
      return false;
    end if;
  end loop;
  return true;
end $$;
comment on function is_localized is
  'Whether the value is a localised text: an object with parts in the content languages, at least one, each a text that is not blank and has at most max_length characters.';

create function first_part(texts jsonb) returns text
language plpgsql immutable strict parallel safe set search_path from current as $$
declare
  language text;
begin
  foreach language in array content_languages() loop
    if texts ->> language is not null then
      return texts ->> language;
    end if;
  end loop;
  return null;
end $$;
comment on function first_part is 'The part of a localised text in the first of the content languages that it has.';

-- Versions ----------------------------------------------------------------------------------------------------------

create sequence versions;
comment on sequence versions is
  'Every version of every row is drawn from this sequence, so that a row that is deleted and created again never repeats a version.';

create function set_version() returns trigger language plpgsql as $$
begin
  new.version := nextval('versions');
  new.created_at := old.created_at;
  new.updated_at := now();
  return new;
end $$;
comment on function set_version is
  'Before an update: gives the row its next version and the time of the change, and keeps the time of its creation.';

-- The ledger of changes ---------------------------------------------------------------------------------------------

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
-- An index on (xid, seq) alone would be used for one collection too, and would pass over the changes of all others.
create index changes_of_resource on changes (resource, xid, seq);
comment on table changes is
  'The ledger: one row for each change of a resource. It records which resource changed but not its content, so it has no personal data and nothing in it needs to be erased.';
comment on column changes.seq is 'The order of the changes within a transaction.';
comment on column changes.xid is
  'The transaction that made the change. Readers see the row once no older transaction can still commit: see ledger_horizon().';
comment on column changes.resource is 'The collection as it is named in paths: tutors, events, ...';
comment on column changes.key is 'The id, code or slug of the resource.';
comment on column changes.operation is 'create, update or delete.';
comment on column changes.version is 'The version of the resource after the change. After a deletion it is the last version.';
comment on column changes.changed_at is 'When the transaction that made the change began.';
comment on column changes.actor is
  'The author of the change: account:<id> or client:<id>. Null if it was made outside the service.';
comment on column changes.request_id is 'The X-Request-Id of the request that made the change.';

create function ledger_horizon() returns bigint
language sql stable parallel safe
return pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
comment on function ledger_horizon is
  'The oldest transaction that can still commit. Readers of the ledger see only the changes of older transactions, so that no change appears later before those that they have read.';

create function record_change() returns trigger language plpgsql as $$
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
  insert into changes (resource, key, operation, version, actor, request_id) values (
    tg_table_name,
    changed_key,
    case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
    changed.version,
    nullif(author[2], ''),
    nullif(author[3], ''));
  return null;
end $$;
comment on function record_change is
  'After a row is created, updated or deleted: adds the change to the ledger. The argument is the name of the table''s key column.';
