create table municipalities (
  code text primary key constraint municipalities_code_format check (code ~ '^[0-9]{3}$'),
  name jsonb not null constraint municipalities_name_localized check (is_localized(name, 200)),
  region_code text not null constraint municipalities_region_code_format check (region_code ~ '^[0-9]{2}$'),
  region_name jsonb not null constraint municipalities_region_name_localized check (is_localized(region_name, 200)),
  language_status text not null
    constraint municipalities_language_status check (language_status in ('fi', 'fi-sv', 'sv-fi', 'sv')),
  population int not null constraint municipalities_population_range check (population between 0 and 10000000),
  population_on date not null
    constraint municipalities_population_on_range check (population_on between '1900-01-01' and '2199-12-31'),
  support_stage text not null default 'unknown' constraint municipalities_support_stage
    check (support_stage in ('unknown', 'planning', 'starting', 'developing', 'established')),
  support_since int constraint municipalities_support_since_range check (support_since between 1980 and 2199),
  location jsonb not null constraint municipalities_location_range check (
    (location ->> 'lat')::float8 between -90 and 90 and (location ->> 'lon')::float8 between -180 and 180),
  website text constraint municipalities_website_format
    check (website ~ '^https?://' and char_length(website) <= 2000),
  profile jsonb constraint municipalities_profile_localized check (is_localized(profile, 10000)),
  version bigint not null default nextval('versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  sort_name text collate "fi-x-icu" not null
    generated always as (coalesce(name ->> 'fi', name ->> 'sv', name ->> 'en')) stored,
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

comment on table municipalities is 'The municipalities that the network is to reach.';
comment on column municipalities.code is 'Statistics Finland''s three digits; fixed for good.';
comment on column municipalities.name is 'Localised text, up to 200 characters.';
comment on column municipalities.region_code is 'Statistics Finland''s two digits of the region; Uusimaa is 01.';
comment on column municipalities.region_name is 'Localised text, up to 200 characters.';
comment on column municipalities.language_status is 'The official languages, the majority''s first.';
comment on column municipalities.population is 'Inhabitants on the day of population_on.';
comment on column municipalities.population_on is 'The day that the population is of.';
comment on column municipalities.support_stage is 'How far along the municipality''s digital support is.';
comment on column municipalities.support_since is 'The year in which its digital support began.';
comment on column municipalities.location is 'The municipality''s centre: lat and lon, in WGS 84 degrees.';
comment on column municipalities.website is 'An http or https address.';
comment on column municipalities.profile is 'Localised text, up to 10,000 characters: its own angle on digital support.';
comment on column municipalities.version is 'Drawn from versions at every write.';
comment on column municipalities.created_at is 'When the row was made.';
comment on column municipalities.updated_at is 'When the row was last written.';
comment on column municipalities.sort_name is 'What sort=name sorts by: the Finnish name, or the first that there is.';
comment on column municipalities.search is 'What q searches.';
