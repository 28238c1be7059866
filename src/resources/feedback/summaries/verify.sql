-- Lists every difference between the summaries and the feedback, and every step that breaks the rule of publishing. It is
-- one statement, so that it sees one snapshot. It reports only that a municipality's tally differs, not what is in it.
with answers as (
  select event_id, direction, municipality_code, 'answers' as figure, 'given' as value from feedback
  union all
  select event_id, direction, municipality_code, 'rating', rating::text from feedback where rating is not null
  union all
  select event_id, direction, municipality_code, 'useful', useful::text from feedback where useful is not null
  union all
  select event_id, direction, municipality_code, 'themes_wanted', theme
  from feedback cross join lateral (select distinct unnest(themes_wanted)) as wanted (theme)),
counted as (
  select event_id, direction, municipality_code, figure, value, count(*) as count from answers group by 1, 2, 3, 4, 5),
by_municipality as (
  select event_id, municipality_code, figure, jsonb_object_agg(value, count) as tally from counted
  where direction = 'participant_to_tutor' group by 1, 2, 3),
to_publish as (
  select event_id, 'participant_to_tutor' as direction, figure, value, sum(count::bigint) as count
  from feedback_tallies cross join lateral jsonb_each_text(published) as published_values (value, count)
  group by event_id, figure, value
  union all
  select event_id, direction, figure, value, sum(count) from counted
  where direction = 'tutor_to_participant' group by event_id, direction, figure, value),
expected as (
  select event_id, direction, figure, jsonb_object_agg(value, count) as tally from to_publish group by 1, 2, 3),
actual as (
  select event_id, direction, figure, tally from feedback_summaries
  cross join lateral jsonb_each(figures) as stored_figures (figure, tally)),
waiting as (
  select event_id, figure, parties(array_agg(municipality_code)) as number from feedback_tallies
  where waits group by event_id, figure),
turns as (
  select event_id, figure, since as step from feedback_tallies where since > 0
  union all
  select event_id, figure, from_step from feedback_tally_states where from_step > 0),
states as (
  select event_id, figure, municipality_code, from_step, until_step, tally_hash from feedback_tally_states
  union all
  select event_id, figure, municipality_code, since, null, jsonb_hash_extended(published, 0) from feedback_tallies),
neighbours as (
  select *, lead(from_step) over of_one as next_from, lead(tally_hash) over of_one as next_hash,
    lag(from_step) over of_one as previous_from
  from states window of_one as (partition by event_id, figure, municipality_code order by from_step)),
comments as (
  select id as feedback_id, event_id, direction, municipality_code from feedback
  where publish_consent and comment is not null)

select event_id, format('%s of %s', figure, direction) as subject, coalesce(actual.tally, '{}')::text as actual,
  coalesce(expected.tally, '{}')::text as expected
from actual full join expected using (event_id, direction, figure)
where coalesce(actual.tally, '{}') <> coalesce(expected.tally, '{}')
union all
select event_id, format('%s of participants by municipality', figure),
  format('%s differ from the answers', count(*)), 'none'
from feedback_tallies as stored full join by_municipality using (event_id, figure, municipality_code)
where coalesce(stored.tally, '{}') <> coalesce(by_municipality.tally, '{}')
group by event_id, figure
union all
select event_id, format('%s in step %s', figure, step), format('%s municipalities', count(*)), 'at least 3'
from turns group by event_id, figure, step having count(*) < 3
union all
select event_id, format('%s in earlier steps', figure), format('%s out of sequence', count(*)), 'none'
from neighbours
where until_step is distinct from next_from or tally_hash = next_hash or (previous_from is null and from_step <> 0)
group by event_id, figure
union all
select event_id, 'comments', format('%s differ from the feedback', count(*)), 'none'
from comments full join feedback_comments as listed using (feedback_id, event_id, direction, municipality_code)
where listed.place is null or comments.feedback_id is null or (direction = 'tutor_to_participant' and not shown)
group by event_id
union all
select event_id, format('%s in the next step', figure), 'waits, although it may be published', 'published'
from waiting
where number >= 3 and can_publish_figure(event_id, figure) and (figure = 'answers' or not exists (
  select from waiting as number_of_answers
  where number_of_answers.event_id = waiting.event_id and number_of_answers.figure = 'answers'))
order by 1, 2
