-- Generates the feedback on the events $1 to $2 - 1: one event in 100 has 100 answers, four from each of 25 municipalities.
insert into feedback (id, source, external_id, event_id, direction, municipality_code, respondent, rating, useful,
  themes_wanted, comment, language, publish_consent)
select pg_temp.generated_id('feedback', i * 100 + n), 'generated', format('feedback-%s-%s', i, n), pg_temp.generated_id('event', i),
  'participant_to_tutor', codes[1 + (i + n % 25) % cardinality(codes)], 'respondent-' || n, 1 + (i + n * 3) % 5, (i + n) % 4 <> 0,
  case when n % 5 = 0 then array[slugs[1 + (i + n) % cardinality(slugs)]] else '{}' end,
  case when n % 10 = 0 then 'Saimme mallin omaan digitukeemme.' end, 'fi', n % 20 = 0
from generate_series($1, $2 - 1) as i, generate_series(0, 99) as n,
  (select array_agg(code order by code) as codes from municipalities) as municipality,
  (select array_agg(slug order by slug) as slugs from themes) as theme
where i % 100 = 7
