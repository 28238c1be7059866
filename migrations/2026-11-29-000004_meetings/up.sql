-- Events, and the tables that link them to tutors, themes, languages and audiences.

create table events (
  id uuid primary key,
  source text not null,
  external_id text constraint events_external_id_length check (is_external_id(external_id)),
  title jsonb not null constraint events_title_localized check (is_localized(title, 200)),
  description jsonb constraint events_description_localized check (is_localized(description, 10000)),
  kind text not null
    constraint events_kind check (kind in ('presentation', 'webinar', 'workshop', 'sparring', 'peer_visit')),
  modality text not null constraint events_modality check (modality in ('onsite', 'online', 'hybrid')),
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  time_zone text not null default 'Europe/Helsinki'
    constraint events_time_zone_length check (char_length(time_zone) between 1 and 64),
  venue jsonb constraint events_venue_format check (
    venue - array['name', 'address', 'municipality_code'] = '{}' and jsonb_strip_nulls(venue) <> '{}'
    and is_localized(nullif(venue -> 'name', 'null'), 200) and is_text(venue ->> 'address', 500)),
  venue_municipality_code text generated always as (venue ->> 'municipality_code') stored
    constraint events_venue_municipality_code_exists references municipalities,
  online_url text constraint events_online_url_format check (is_web_address(online_url)),
  host_municipality_code text constraint events_host_municipality_code_exists references municipalities,
  tutors uuid[] not null default '{}' constraint events_tutors_length check (cardinality(tutors) <= 50),
  themes text[] not null default '{}' constraint events_themes_length check (cardinality(themes) <= 50),
  languages text[] not null default '{}' constraint events_languages_format
    check (are_languages(languages) and cardinality(languages) <= 20),
  audience text[] not null default '{}' constraint events_audience_length check (cardinality(audience) <= 400),
  capacity int constraint events_capacity_range check (capacity between 1 and 100000),
  registration_opens_at timestamptz,
  registration_closes_at timestamptz,
  status text not null default 'draft' constraint events_status
    check (status in ('draft', 'published', 'postponed', 'completed', 'cancelled')),
  status_reason jsonb constraint events_status_reason_localized check (is_localized(status_reason, 1000)),
  previous_starts_at timestamptz,
  sequence int not null default 0,
  version bigint not null default nextval('versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  search tsvector not null generated always as (search_vector(title, description)) stored,
  constraint events_source_external_id_unique unique (source, external_id),
  constraint events_ends_after_start check (ends_at > starts_at),
  constraint events_registration_closes_after_opening check (registration_closes_at > registration_opens_at),
  constraint events_times_range check (
    starts_at >= '1900-01-01' and ends_at < '2200-01-01'
    and coalesce(registration_opens_at, '2000-01-01') between '1900-01-01' and '2200-01-01'
    and coalesce(registration_closes_at, '2000-01-01') between '1900-01-01' and '2200-01-01'
    and coalesce(previous_starts_at, '2000-01-01') between '1900-01-01' and '2200-01-01')
);
create index events_by_start on events (starts_at, id);
create index events_by_host on events (host_municipality_code, starts_at, id);
create index events_by_kind on events (kind, starts_at, id);
create index events_by_modality on events (modality, starts_at, id);
create index events_by_status on events (status, starts_at, id);
-- A municipality sees its own drafts only: without this index a list of them would pass over the drafts of all others. A
-- query must say status = 'draft' literally, because PostgreSQL does not use a partial index for a parameter.
create index events_drafts on events (host_municipality_code, starts_at, id) where status = 'draft';
create index events_drafts_by_kind on events (kind, starts_at, id) where status = 'draft';
create index events_drafts_by_modality on events (modality, starts_at, id) where status = 'draft';
create index events_drafts_by_source on events (source, starts_at, id) where status = 'draft';
create index events_by_source on events (source, starts_at, id);
create index events_by_external_id on events (external_id, starts_at, id) where external_id is not null;
create index events_for_the_region on events (starts_at, id) where audience = '{}';
create index events_by_venue_municipality on events (venue_municipality_code)
  where venue_municipality_code is not null;
create index events_search on events using gin (search);

create table event_tutors (
  tutor_id uuid constraint events_tutors_exist references tutors,
  event_id uuid references events on delete cascade,
  starts_at timestamptz not null,
  primary key (tutor_id, event_id)
);
create index event_tutors_by_start on event_tutors (tutor_id, starts_at, event_id);
create index event_tutors_by_event on event_tutors (event_id);

create table event_themes (
  theme_slug text constraint events_themes_exist references themes,
  event_id uuid references events on delete cascade,
  starts_at timestamptz not null,
  primary key (theme_slug, event_id)
);
create index event_themes_by_start on event_themes (theme_slug, starts_at, event_id);
create index event_themes_by_event on event_themes (event_id);

create table event_languages (
  language text,
  event_id uuid references events on delete cascade,
  starts_at timestamptz not null,
  primary key (language, event_id)
);
create index event_languages_by_start on event_languages (language, starts_at, event_id);
create index event_languages_by_event on event_languages (event_id);

create table event_audience (
  municipality_code text constraint events_audience_exist references municipalities,
  event_id uuid references events on delete cascade,
  starts_at timestamptz not null,
  primary key (municipality_code, event_id)
);
create index event_audience_by_start on event_audience (municipality_code, starts_at, event_id);
create index event_audience_by_event on event_audience (event_id);

create function link_event() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    delete from event_tutors where event_id = new.id;
    delete from event_themes where event_id = new.id;
    delete from event_languages where event_id = new.id;
    delete from event_audience where event_id = new.id;
  end if;
  insert into event_tutors (tutor_id, event_id, starts_at)
    select distinct unnest(new.tutors), new.id, new.starts_at;
  insert into event_themes (theme_slug, event_id, starts_at)
    select distinct unnest(new.themes), new.id, new.starts_at;
  insert into event_languages (language, event_id, starts_at)
    select distinct unnest(new.languages), new.id, new.starts_at;
  insert into event_audience (municipality_code, event_id, starts_at)
    select distinct unnest(new.audience), new.id, new.starts_at;
  return null;
end $$;
comment on function link_event is
  'After an event is written: copies the arrays of tutors, themes, languages and audience into the four tables of links. Those tables have foreign keys, and indexes for filters in the order of time.';

create function is_event_transition(old_status text, new_status text) returns boolean
language sql immutable parallel safe
return old_status = new_status or (old_status, new_status) in (
  ('draft', 'published'), ('draft', 'cancelled'),
  ('published', 'postponed'), ('published', 'completed'), ('published', 'cancelled'),
  ('postponed', 'published'), ('postponed', 'cancelled'));
comment on function is_event_transition is 'Whether the status of an event may change from the first to the second.';

create function check_event_update() returns trigger language plpgsql as $$
begin
  if not is_event_transition(old.status, new.status) then
    raise check_violation using constraint = 'events_status_transition',
      message = format('the status of an event cannot change from %s to %s', old.status, new.status);
  end if;
  if new.status = 'completed' and old.status <> 'completed' and new.ends_at > clock_now() then
    raise check_violation using constraint = 'events_completed_after_end',
      message = 'an event can be completed once it has ended';
  end if;
  if old.status <> 'draft' and new.starts_at <> old.starts_at
    and new.previous_starts_at is not distinct from old.previous_starts_at
  then
    new.previous_starts_at := old.starts_at;
  end if;
  return new;
end $$;
comment on function check_event_update is
  'Before an event gets another status or start: refuses changes of status that are not allowed, and records the earlier start of an event that is not a draft.';

create function count_event_revision() returns trigger language plpgsql as $$
begin
  new.sequence := old.sequence + 1;
  return new;
end $$;
comment on function count_event_revision is
  'Before a change that calendars show: counts the revision of the event.';

create trigger check_update before update of status, starts_at on events
  for each row execute function check_event_update();
create trigger count_revision before update on events for each row
  when ((old.title, old.description, old.starts_at, old.ends_at, old.time_zone, old.venue, old.online_url, old.status,
      old.status_reason)
    is distinct from (new.title, new.description, new.starts_at, new.ends_at, new.time_zone, new.venue, new.online_url,
      new.status, new.status_reason))
  execute function count_event_revision();
create trigger set_version before update on events for each row execute function set_version();
create trigger record_change after insert or update or delete on events
  for each row execute function record_change('id');
create trigger link_on_insert after insert on events for each row execute function link_event();
create trigger link_on_update after update on events for each row
  when ((new.starts_at, new.tutors, new.themes, new.languages, new.audience)
    is distinct from (old.starts_at, old.tutors, old.themes, old.languages, old.audience))
  execute function link_event();

comment on table events is 'The meetings at which tutors share what works in digital support.';
comment on column events.id is 'UUIDv7.';
comment on column events.source is
  'The system that created the row: kuntatutorit for the service itself, or the source of a client.';
comment on column events.external_id is 'The key of the row in that system, at most 200 characters, not blank.';
comment on column events.title is 'Localised text, at most 200 characters.';
comment on column events.description is 'Localised text, at most 10,000 characters.';
comment on column events.kind is 'presentation, webinar, workshop, sparring or peer_visit.';
comment on column events.modality is 'onsite, online or hybrid.';
comment on column events.starts_at is 'It may be in the past: events that have been held are recorded too.';
comment on column events.ends_at is 'Later than starts_at.';
comment on column events.time_zone is 'The IANA name of the time zone in which the times of the event are shown.';
comment on column events.venue is
  'name (localised text, at most 200 characters), address (at most 500) and municipality_code, at least one of them.';
comment on column events.venue_municipality_code is 'venue.municipality_code, as a column for its foreign key.';
comment on column events.online_url is
  'An http or https address. Only the host, the tutors and signed-in members of the audience see it.';
comment on column events.host_municipality_code is
  'The municipality that hosts the event. Null if the network itself hosts it, through the coordinator.';
comment on column events.tutors is 'Ids of the tutors who present, at most 50.';
comment on column events.themes is 'Slugs of themes, at most 50.';
comment on column events.languages is 'BCP 47 language tags, at most 20.';
comment on column events.audience is
  'Codes of the municipalities that the event is tailored to, at most 400. Empty if it is for the whole region.';
comment on column events.capacity is 'Number of seats.';
comment on column events.registration_opens_at is 'When registration opens.';
comment on column events.registration_closes_at is 'When registration closes. Later than registration_opens_at.';
comment on column events.status is
  'draft, published, postponed, completed or cancelled. is_event_transition() has the allowed changes.';
comment on column events.status_reason is
  'Localised text, at most 1,000 characters: why the event is postponed or cancelled.';
comment on column events.previous_starts_at is 'The start before the published event was last moved.';
comment on column events.sequence is
  'How many times the event has changed in a way that calendars show: SEQUENCE in RFC 5545, section 3.8.7.4.';
comment on column events.version is 'A new version is drawn from the sequence versions at every write.';
comment on column events.created_at is 'When the row was created.';
comment on column events.updated_at is 'When the row was last written.';
comment on column events.search is 'The words that q searches.';
comment on table event_tutors is 'The items of events.tutors, one row each.';
comment on column event_tutors.tutor_id is 'The tutor.';
comment on column event_tutors.event_id is 'The event.';
comment on column event_tutors.starts_at is 'A copy of the event''s starts_at, so that an index has the rows in the order of pages.';
comment on table event_themes is 'The items of events.themes, one row each.';
comment on column event_themes.theme_slug is 'The theme.';
comment on column event_themes.event_id is 'The event.';
comment on column event_themes.starts_at is 'A copy of the event''s starts_at, so that an index has the rows in the order of pages.';
comment on table event_languages is 'The items of events.languages, one row each.';
comment on column event_languages.language is 'The BCP 47 language tag.';
comment on column event_languages.event_id is 'The event.';
comment on column event_languages.starts_at is 'A copy of the event''s starts_at, so that an index has the rows in the order of pages.';
comment on table event_audience is 'The items of events.audience, one row each.';
comment on column event_audience.municipality_code is 'A municipality that the event is tailored to.';
comment on column event_audience.event_id is 'The event.';
comment on column event_audience.starts_at is 'A copy of the event''s starts_at, so that an index has the rows in the order of pages.';
