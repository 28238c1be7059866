-- Writes what the triggers of feedback would have written for the feedback on the events $1 to $2 - 1.
with new_feedback as (
  select feedback.* from feedback join generate_series($1, $2 - 1) as i on event_id = pg_temp.generated_id('event', i)
  where source = 'generated'),
new_themes_wanted as (
  insert into feedback_themes_wanted (theme_slug, feedback_id)
  select distinct theme, id from new_feedback cross join lateral unnest(themes_wanted) as theme),
new_comments as (
  insert into feedback_comments (feedback_id, event_id, direction, municipality_code, shown)
  select id, event_id, direction, municipality_code, false from new_feedback
  where publish_consent and comment is not null),
new_changes as (
  insert into changes (resource, key, operation, version, epoch)
  select 'feedback', id, 'create', version, (select max(ordinal) from ledger_epochs) from new_feedback),
figures as (
  select event_id, municipality_code, 'answers' as figure, 'given' as value from new_feedback
  union all select event_id, municipality_code, 'rating', rating::text from new_feedback
  union all select event_id, municipality_code, 'useful', useful::text from new_feedback
  union all select event_id, municipality_code, 'themes_wanted', theme from new_feedback
    cross join lateral unnest(themes_wanted) as theme),
counted as (select event_id, municipality_code, figure, value, count(*) as count from figures group by 1, 2, 3, 4),
new_tallies as (
  insert into feedback_tallies (event_id, figure, municipality_code, tally)
  select event_id, figure, municipality_code, jsonb_object_agg(value, count) from counted group by 1, 2, 3)
insert into feedback_summaries (event_id, direction) select distinct event_id, 'participant_to_tutor' from new_feedback
