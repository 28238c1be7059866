-- The directory of the network: municipalities, themes and tutors.

-- Municipalities ----------------------------------------------------------------------------------------------------

create table municipalities (
  code text primary key constraint municipalities_code_format check (is_municipality_code(code)),
  name jsonb not null constraint municipalities_name_localized check (is_localized(name, 200)),
  region_code text not null constraint municipalities_region_code_format check (is_region_code(region_code)),
  region_name jsonb not null constraint municipalities_region_name_localized check (is_localized(region_name, 200)),
  language_status text not null
    constraint municipalities_language_status check (language_status in ('fi', 'fi-sv', 'sv-fi', 'sv')),
  sami_languages text[] not null default '{}' constraint municipalities_sami_languages check (
    sami_languages <@ array['se', 'smn', 'sms'] and cardinality(sami_languages) =
      ('se' = any (sami_languages))::int + ('smn' = any (sami_languages))::int + ('sms' = any (sami_languages))::int),
  population int not null constraint municipalities_population_range check (population between 0 and 10000000),
  population_on date not null
    constraint municipalities_population_on_range check (population_on between '1900-01-01' and '2199-12-31'),
  support_stage text not null default 'unknown' constraint municipalities_support_stage
    check (support_stage in ('unknown', 'planning', 'starting', 'developing', 'established')),
  support_since int constraint municipalities_support_since_range check (support_since between 1980 and 2199),
  location jsonb not null constraint municipalities_location_range check (
    (location ->> 'lat')::float8 between -90 and 90 and (location ->> 'lon')::float8 between -180 and 180),
  website text constraint municipalities_website_format check (is_web_address(website)),
  profile jsonb constraint municipalities_profile_localized check (is_localized(profile, 10000)),
  version bigint not null default nextval('versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  sort_name text collate "fi-x-icu" not null generated always as (first_part(name)) stored,
  search tsvector not null generated always as (search_vector(name, profile)) stored
);
create index municipalities_by_name on municipalities (sort_name, code);
create index municipalities_by_population on municipalities (population, code);
create index municipalities_by_region on municipalities (region_code, code);
create index municipalities_by_support_stage on municipalities (support_stage, code);
create index municipalities_by_language_status on municipalities (language_status, code);
create index municipalities_search on municipalities using gin (search);

create trigger set_version before update on municipalities for each row execute function set_version();
create trigger record_change after insert or update or delete on municipalities
  for each row execute function record_change('code');

comment on table municipalities is 'The municipalities of the region that the network serves.';
comment on column municipalities.code is 'Statistics Finland''s code: three digits. It never changes.';
comment on column municipalities.name is 'Localised text, at most 200 characters.';
comment on column municipalities.region_code is 'Statistics Finland''s code of the region: two digits. Uusimaa is 01.';
comment on column municipalities.region_name is 'Localised text, at most 200 characters.';
comment on column municipalities.language_status is
  'Which of Finnish and Swedish are official languages, the majority''s language first: fi, fi-sv, sv-fi or sv.';
comment on column municipalities.sami_languages is
  'Which Sámi languages are official languages: se (Northern), smn (Inari) and sms (Skolt), each at most once.';
comment on column municipalities.population is 'Number of inhabitants on the day population_on.';
comment on column municipalities.population_on is 'The day on which the population was counted.';
comment on column municipalities.support_stage is
  'The stage of the municipality''s digital support: unknown, planning, starting, developing or established.';
comment on column municipalities.support_since is 'The year in which its digital support began.';
comment on column municipalities.location is 'The centre of the municipality: lat and lon in degrees (WGS 84).';
comment on column municipalities.website is 'An http or https address.';
comment on column municipalities.profile is
  'Localised text, at most 10,000 characters: how the municipality gives digital support.';
comment on column municipalities.version is 'A new version is drawn from the sequence versions at every write.';
comment on column municipalities.created_at is 'When the row was created.';
comment on column municipalities.updated_at is 'When the row was last written.';
comment on column municipalities.sort_name is 'The sort key of sort=name: the first part of the name.';
comment on column municipalities.search is 'The words that q searches.';

-- Themes ------------------------------------------------------------------------------------------------------------

create table themes (
  slug text primary key constraint themes_slug_format check (is_slug(slug)),
  kind text not null constraint themes_kind check (kind in ('form', 'theme')),
  name jsonb not null constraint themes_name_localized check (is_localized(name, 200)),
  parent text constraint themes_parent_exists references themes
    constraint themes_parent_not_itself check (parent <> slug),
  version bigint not null default nextval('versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  sort_name text collate "fi-x-icu" not null generated always as (first_part(name)) stored,
  search tsvector not null generated always as (search_vector(name, null)) stored
);
create index themes_by_name on themes (sort_name, slug);
create index themes_by_kind on themes (kind, slug);
create index themes_by_parent on themes (parent, slug);
create index themes_search on themes using gin (search);

create function reject_theme_cycle() returns trigger language plpgsql as $$
begin
  -- One change at a time: two transactions that do not see each other's change could close a cycle together.
  perform pg_advisory_xact_lock('themes'::regclass::oid::bigint);
  if exists (
    with recursive ancestors (slug) as (
      select new.parent
      union
      select themes.parent from themes join ancestors using (slug))
    select from ancestors where slug = new.slug)
  then
    raise check_violation using
      constraint = 'themes_parent_acyclic', message = 'a theme cannot be an ancestor of itself';
  end if;
  return new;
end $$;
comment on function reject_theme_cycle is
  'Before a theme gets another parent: refuses a theme that would be an ancestor of itself.';

create trigger set_version before update on themes for each row execute function set_version();
create trigger record_change after insert or update or delete on themes
  for each row execute function record_change('slug');
create trigger reject_cycle before update of parent on themes
  for each row when (new.parent is not null) execute function reject_theme_cycle();

comment on table themes is 'The subjects of digital support and the forms in which it is given.';
comment on column themes.slug is
  'Lower-case letters, digits and single hyphens, at most 100 characters. It never changes.';
comment on column themes.kind is 'form: a way to give support. theme: a subject of support.';
comment on column themes.name is 'Localised text, at most 200 characters.';
comment on column themes.parent is 'The wider theme that this theme is part of.';
comment on column themes.version is 'A new version is drawn from the sequence versions at every write.';
comment on column themes.created_at is 'When the row was created.';
comment on column themes.updated_at is 'When the row was last written.';
comment on column themes.sort_name is 'The sort key of sort=name: the first part of the name.';
comment on column themes.search is 'The words that q searches.';

-- Tutors ------------------------------------------------------------------------------------------------------------

create table tutors (
  id uuid primary key,
  source text not null,
  external_id text constraint tutors_external_id_length check (is_external_id(external_id)),
  name text not null constraint tutors_name_length check (is_text(name, 200)),
  title jsonb constraint tutors_title_localized check (is_localized(title, 200)),
  municipality_code text not null constraint tutors_municipality_code_exists references municipalities,
  perspective jsonb constraint tutors_perspective_localized check (is_localized(perspective, 10000)),
  themes text[] not null default '{}' constraint tutors_themes_length check (cardinality(themes) <= 50),
  languages text[] not null default '{}' constraint tutors_languages_format
    check (are_languages(languages) and cardinality(languages) <= 20),
  status text not null default 'active' constraint tutors_status check (status in ('active', 'paused', 'ended')),
  contact jsonb constraint tutors_contact_format check (
    contact - array['email', 'phone'] = '{}' and jsonb_strip_nulls(contact) <> '{}'
    and is_email(contact ->> 'email') and is_phone(contact ->> 'phone')),
  visibility text not null default 'network'
    constraint tutors_visibility check (visibility in ('public', 'network', 'coordinator')),
  version bigint not null default nextval('versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  search tsvector not null generated always as (search_vector(title, perspective)) stored,
  search_with_name tsvector not null generated always as (search_vector(title, perspective, name)) stored,
  constraint tutors_source_external_id_unique unique (source, external_id),
  -- For the foreign key of accounts: an account moves to another municipality together with its tutor.
  constraint tutors_id_municipality_unique unique (id, municipality_code)
);
create index tutors_by_municipality on tutors (municipality_code, id);
create index tutors_by_status on tutors (status, id);
create index tutors_by_source on tutors (source, id);
create index tutors_by_external_id on tutors (external_id, id) where external_id is not null;
create index tutors_search on tutors using gin (search);
create index tutors_search_with_name on tutors using gin (search_with_name);

create table tutor_themes (
  theme_slug text constraint tutors_themes_exist references themes,
  tutor_id uuid references tutors on delete cascade,
  primary key (theme_slug, tutor_id)
);
create index tutor_themes_by_tutor on tutor_themes (tutor_id);

create table tutor_languages (
  language text,
  tutor_id uuid references tutors on delete cascade,
  primary key (language, tutor_id)
);
create index tutor_languages_by_tutor on tutor_languages (tutor_id);

create function link_tutor() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    delete from tutor_themes where tutor_id = new.id;
    delete from tutor_languages where tutor_id = new.id;
  end if;
  insert into tutor_themes (theme_slug, tutor_id) select distinct unnest(new.themes), new.id;
  insert into tutor_languages (language, tutor_id) select distinct unnest(new.languages), new.id;
  return null;
end $$;
comment on function link_tutor is
  'After a tutor is written: copies the arrays of themes and languages into tutor_themes and tutor_languages. Those tables have a foreign key to themes, and indexes for filters.';

create trigger set_version before update on tutors for each row execute function set_version();
create trigger record_change after insert or update or delete on tutors
  for each row execute function record_change('id');
create trigger link_on_insert after insert on tutors for each row execute function link_tutor();
create trigger link_on_update after update of themes, languages on tutors for each row
  when (new.themes <> old.themes or new.languages <> old.languages) execute function link_tutor();

comment on table tutors is 'People who give digital support in a municipality and tutor their colleagues in others.';
comment on column tutors.id is 'UUIDv7.';
comment on column tutors.source is
  'The system that created the row: kuntatutorit for the service itself, or the source of a client.';
comment on column tutors.external_id is 'The key of the row in that system, at most 200 characters, not blank.';
comment on column tutors.name is 'Personal data. Plain text, at most 200 characters.';
comment on column tutors.title is 'Localised text, at most 200 characters.';
comment on column tutors.municipality_code is 'The municipality that the tutor works for.';
comment on column tutors.perspective is
  'Localised text, at most 10,000 characters: what is special about the way the tutor gives support.';
comment on column tutors.themes is 'Slugs of themes, at most 50.';
comment on column tutors.languages is 'BCP 47 language tags, at most 20.';
comment on column tutors.status is
  'active, paused or ended. A tutor who leaves is ended and not deleted, so that past events keep their tutors.';
comment on column tutors.contact is 'Personal data. email and phone, at least one of them.';
comment on column tutors.visibility is
  'Which callers see name and contact: public (everybody), network (signed-in callers) or coordinator (only the coordinator).';
comment on column tutors.version is 'A new version is drawn from the sequence versions at every write.';
comment on column tutors.created_at is 'When the row was created.';
comment on column tutors.updated_at is 'When the row was last written.';
comment on column tutors.search is 'The words that q searches for callers that may not see the name.';
comment on column tutors.search_with_name is 'The words that q searches for callers that may see the name.';
comment on table tutor_themes is 'The items of tutors.themes, one row each.';
comment on column tutor_themes.theme_slug is 'The theme.';
comment on column tutor_themes.tutor_id is 'The tutor.';
comment on table tutor_languages is 'The items of tutors.languages, one row each.';
comment on column tutor_languages.language is 'The BCP 47 language tag.';
comment on column tutor_languages.tutor_id is 'The tutor.';
