create table tutors (
  id uuid primary key,
  source text not null,
  external_id text constraint tutors_external_id_length check (char_length(external_id) between 1 and 200),
  name text not null constraint tutors_name_length check (char_length(name) <= 200 and name ~ '\S'),
  title jsonb constraint tutors_title_localized check (is_localized(title, 200)),
  municipality_code text not null constraint tutors_municipality_code_exists references municipalities,
  perspective jsonb constraint tutors_perspective_localized check (is_localized(perspective, 10000)),
  themes text[] not null default '{}' constraint tutors_themes_length check (cardinality(themes) <= 50),
  languages text[] not null default '{}' constraint tutors_languages_format
    check (are_languages(languages) and cardinality(languages) <= 20),
  status text not null default 'active' constraint tutors_status check (status in ('active', 'paused', 'ended')),
  contact jsonb constraint tutors_contact_format check (
    contact - array['email', 'phone'] = '{}' and jsonb_strip_nulls(contact) <> '{}'
    and char_length(contact ->> 'email') <= 254 and char_length(contact ->> 'phone') <= 30),
  visibility text not null default 'network'
    constraint tutors_visibility check (visibility in ('public', 'network', 'coordinator')),
  version bigint not null default nextval('versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  search tsvector not null generated always as (search_vector(title, perspective)) stored,
  search_with_name tsvector not null generated always as (search_vector(title, perspective, name)) stored,
  constraint tutors_source_external_id_unique unique (source, external_id)
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

create function index_tutor() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    delete from tutor_themes where tutor_id = new.id;
    delete from tutor_languages where tutor_id = new.id;
  end if;
  insert into tutor_themes select distinct unnest(new.themes), new.id;
  insert into tutor_languages select distinct unnest(new.languages), new.id;
  return null;
end $$;
comment on function index_tutor is
  'Keeps tutor_themes and tutor_languages in step with the arrays: they give a filter its order and a theme its foreign key.';

create trigger set_version before update on tutors for each row execute function set_version();
create trigger record_change after insert or update or delete on tutors
  for each row execute function record_change('id');
create trigger index_on_insert after insert on tutors for each row execute function index_tutor();
create trigger index_on_update after update of themes, languages on tutors for each row
  when (new.themes <> old.themes or new.languages <> old.languages) execute function index_tutor();

comment on table tutors is 'Digital supporters of a municipality who tutor others.';
comment on column tutors.id is 'UUIDv7.';
comment on column tutors.source is 'The system that made the row: kuntatutorit for the service itself, else the client''s source.';
comment on column tutors.external_id is 'The row''s key in that system, 1 to 200 characters.';
comment on column tutors.name is 'Personal data. Plain text, up to 200 characters.';
comment on column tutors.title is 'Localised text, up to 200 characters.';
comment on column tutors.municipality_code is 'The municipality that the tutor works for.';
comment on column tutors.perspective is
  'Localised text, up to 10,000 characters: what is special about how they give support.';
comment on column tutors.themes is 'Slugs of themes, up to 50.';
comment on column tutors.languages is 'BCP 47 tags, up to 20.';
comment on column tutors.status is 'active, paused or ended; a tutor who leaves is ended, so that history stays true.';
comment on column tutors.contact is 'Personal data. email and phone, at least one of them.';
comment on column tutors.visibility is 'Who sees name and contact: public, the network, or only the coordinator.';
comment on column tutors.version is 'Drawn from versions at every write.';
comment on column tutors.created_at is 'When the row was made.';
comment on column tutors.updated_at is 'When the row was last written.';
comment on column tutors.search is 'What q searches for those who may not see the name.';
comment on column tutors.search_with_name is 'What q searches for those who may see the name.';
comment on table tutor_themes is 'tutors.themes, a row each.';
comment on column tutor_themes.theme_slug is 'The theme.';
comment on column tutor_themes.tutor_id is 'The tutor.';
comment on table tutor_languages is 'tutors.languages, a row each.';
comment on column tutor_languages.language is 'BCP 47 tag.';
comment on column tutor_languages.tutor_id is 'The tutor.';
