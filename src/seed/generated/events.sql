-- Events $1 to $2 - 1 of $3 in a generated data set: spread evenly over twenty years, which had half passed in 2026. Of
-- each thing that one can ask for there is something rare: once in a thousand.
with made as (
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
  case when i % 1000 = 999 then 'peer_visit' else (array['presentation', 'webinar', 'workshop', 'sparring'])[1 + i % 4] end,
  case when i % 1000 = 998 then 'hybrid' else (array['online', 'onsite'])[1 + i % 2] end, starts_at, starts_at + interval '2 hours',
  case when i % 2 = 0 then 'https://etatuki.example/' || i end,
  case when i % 1000 = 997 then '616' when i % 27 < 26 then codes[1 + i % cardinality(codes)] end,
  array[pg_temp.generated_id('tutor', i * 7 % tutors), pg_temp.generated_id('tutor', (i * 7 + 1) % tutors)],
  array[case when i % 1000 = 996 then 'training' else slugs[1 + i % cardinality(slugs)] end],
  case when i % 1000 = 995 then array['se'] when i % 4 = 0 then array['sv'] else array['fi'] end,
  case when i % 1000 = 994 then array['616'] when i % 4 = 3 then array[codes[1 + i * 5 % cardinality(codes)]]
    else '{}' end, 10 + i % 90,
  case when i % 50 = 0 then 'draft' when i % 1000 = 1 then 'postponed' when i % 1000 = 2 then 'cancelled'
    when i % 2 = 0 and starts_at < '2026-01-01' then 'completed' else 'published' end
from (select i, timestamptz '2016-11-01 06:00Z' + i * interval '20 years' / $3 as starts_at
    from generate_series($1, $2 - 1) as i) as event,
  (select array_agg(code order by code) as codes from municipalities where code <> '616') as municipality,
  (select array_agg(slug order by slug) as slugs from themes where slug <> 'training') as theme,
  (select $3 / 50 as tutors) as tutor
returning id, starts_at, tutors, themes, languages, audience, version),
presented as (insert into event_tutors select distinct unnest(tutors), id, starts_at from made),
themed as (insert into event_themes select distinct unnest(themes), id, starts_at from made),
spoken as (insert into event_languages select distinct unnest(languages), id, starts_at from made),
tailored as (insert into event_audience select distinct unnest(audience), id, starts_at from made)
insert into changes (resource, key, operation, version) select 'events', id, 'create', version from made
