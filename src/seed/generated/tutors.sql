-- Generates the tutors $1 to $2 - 1.
with new_tutors as (
insert into tutors (id, source, external_id, name, title, municipality_code, themes, languages, status, contact, visibility)
select pg_temp.generated_id('tutor', i), 'generated', 'tutor-' || i, 'Kuntatutor ' || i,
  '{"fi": "Digituen asiantuntija", "sv": "Expert på digitalt stöd", "en": "Expert in digital support"}',
  codes[1 + i % cardinality(codes)], array[slugs[1 + i % cardinality(slugs)]],
  case i % 3 when 0 then array['fi'] when 1 then array['fi', 'sv'] else array['fi', 'en'] end,
  case i % 10 when 0 then 'paused' when 1 then 'ended' else 'active' end,
  jsonb_build_object('email', 'tutor-' || i || '@kunta.example'),
  case i % 4 when 0 then 'public' when 1 then 'coordinator' else 'network' end
from generate_series($1, $2 - 1) as i,
  (select array_agg(code order by code) as codes from municipalities) as municipality,
  (select array_agg(slug order by slug) as slugs from themes) as theme
returning id, themes, languages, version),
new_themes as (insert into tutor_themes (theme_slug, tutor_id) select distinct unnest(themes), id from new_tutors),
new_languages as (insert into tutor_languages (language, tutor_id) select distinct unnest(languages), id from new_tutors)
insert into changes (resource, key, operation, version, epoch)
select 'tutors', id, 'create', version, (select max(ordinal) from ledger_epochs) from new_tutors
