-- Generates the events $1 to $2 - 1 of $3. They are spread evenly over twenty years, of which ten have passed in 2026.
--
-- Every value that a list can be filtered by is common in some places and rare in others, so that measurements and tests
-- notice a query plan that suits only the average. Each year has its usual kind, modality, theme and audience, and 3 % of
-- its events have another one. A fifth of the hosts use Swedish and plan far ahead: 30 % of their events are drafts, against
-- 5 % of the events of other hosts. Most events of 2020 were postponed or cancelled. One event in a thousand has a value that
-- is rare everywhere.
with new_events as (
insert into events (id, source, external_id, title, description, kind, modality, starts_at, ends_at, online_url,
  host_municipality_code, tutors, themes, languages, audience, capacity, status)
select pg_temp.generated_id('event', i), 'generated', 'event-' || i,
  jsonb_build_object(
    'fi', format('%s %s %s', (array['Digituki', 'Verkkoasiointi', 'Tietoturva', 'Etätuki'])[1 + i % 4],
      (array['kirjastossa', 'kansalaisopistossa', 'kunnassa'])[1 + i % 3], i),
    'sv', format('%s %s', (array['Digitalt stöd', 'E-tjänster', 'Informationssäkerhet', 'Fjärrstöd'])[1 + i % 4],
      (array['på biblioteket', 'på medborgarinstitutet', 'i kommunen'])[1 + i % 3])),
  case when i % 5 = 0 then jsonb_build_object('fi', 'Kunnat kertovat, mikä on toiminut. Aiheena on harvinainen'
    || i / 1000 || '.', 'en', 'Municipalities tell what has worked.') end,
  case when i % 1000 = 999 then 'peer_visit'
    else (array['presentation', 'webinar', 'workshop', 'sparring'])[1 + pattern % 4] end,
  modality, starts_at, starts_at + interval '2 hours',
  case when modality <> 'onsite' then 'https://etatuki.example/' || i end,
  case when i % 1000 = 997 then '616' when i % 27 < 26 then codes[1 + i % cardinality(codes)] end,
  array[pg_temp.generated_id('tutor', i * 7 % tutors), pg_temp.generated_id('tutor', (i * 7 + 1) % tutors)],
  array[case when i % 1000 = 996 then 'training' else slugs[1 + pattern % cardinality(slugs)] end],
  case when i % 1000 = 995 then array['se'] when usual = (i % 5 = 0) then array['sv'] else array['fi'] end,
  case when i % 1000 = 994 then array['616'] when pattern % 4 = 3 then array[codes[1 + i * 7 % cardinality(codes)]]
    else '{}' end, 10 + i % 90,
  case
    -- These events have feedback.
    when i % 100 = 7 then 'published'
    when i * 31 % 101 < case when i % 5 = 0 then 30 else 5 end then 'draft'
    when i % 1000 = 1 or in_2020 and i * 41 % 107 < 30 then 'postponed'
    when i % 1000 = 2 or in_2020 and i * 41 % 107 < 60 then 'cancelled'
    when i % 2 = 0 and starts_at < '2026-01-01' then 'completed'
    else 'published'
  end
from (select i, timestamptz '2016-11-01 06:00Z' + i * interval '20 years' / $3 as starts_at, i * 37 % 103 >= 3 as usual
    from generate_series($1, $2 - 1) as i) as event
  cross join lateral (select case when usual then i * 20 / $3 else i end as pattern,
    starts_at >= '2020-01-01' and starts_at < '2021-01-01' as in_2020) as year
  cross join lateral (select case when i % 1000 = 998 then 'hybrid'
    else (array['online', 'onsite'])[1 + pattern / 2 % 2] end as modality) as modalities,
  (select array_agg(code order by code) as codes from municipalities where code <> '616') as municipality,
  (select array_agg(slug order by slug) as slugs from themes where slug <> 'training') as theme,
  (select $3 / 50 as tutors) as tutor
returning id, starts_at, tutors, themes, languages, audience, version),
new_tutors as (insert into event_tutors (tutor_id, event_id, starts_at)
  select distinct unnest(tutors), id, starts_at from new_events),
new_themes as (insert into event_themes (theme_slug, event_id, starts_at)
  select distinct unnest(themes), id, starts_at from new_events),
new_languages as (insert into event_languages (language, event_id, starts_at)
  select distinct unnest(languages), id, starts_at from new_events),
new_audience as (insert into event_audience (municipality_code, event_id, starts_at)
  select distinct unnest(audience), id, starts_at from new_events)
insert into changes (resource, key, operation, version, epoch)
select 'events', id, 'create', version, (select max(ordinal) from ledger_epochs) from new_events
