-- Writes what the triggers of feedback would write, for the feedback on the events $1 to $2 - 1 together.
with given as (
  select feedback.* from feedback join generate_series($1, $2 - 1) as i on event_id = pg_temp.generated_id('event', i)
  where source = 'generated'),
listed as (
  insert into feedback_themes_wanted (theme_slug, feedback_id)
  select distinct theme, id from given cross join lateral unnest(themes_wanted) as theme),
commented as (
  insert into feedback_comments (feedback_id, event_id, direction, municipality_code, shown)
  select id, event_id, direction, municipality_code, false from given where publish_consent and comment is not null),
recorded as (
  insert into changes (resource, key, operation, version) select 'feedback', id, 'create', version from given),
figures as (
  select event_id, municipality_code, 'answers' as figure, 'given' as value from given
  union all select event_id, municipality_code, 'rating', rating::text from given
  union all select event_id, municipality_code, 'useful', useful::text from given
  union all select event_id, municipality_code, 'themes_wanted', theme from given cross join lateral unnest(themes_wanted) as theme),
counted as (select event_id, municipality_code, figure, value, count(*) as count from figures group by 1, 2, 3, 4),
tallied as (
  insert into feedback_tallies (event_id, figure, municipality_code, tally)
  select event_id, figure, municipality_code, jsonb_object_agg(value, count) from counted group by 1, 2, 3)
insert into feedback_summaries (event_id, direction) select distinct event_id, 'participant_to_tutor' from given
