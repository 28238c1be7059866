-- Feedback that is given in one statement is summed up in one go: row by row, that took most of the time of giving it. The
-- rule of the steps is the same; one statement takes at most one step for each event. Edits and deletions are summed up as
-- before.

create function what_feedback_says(rating int, useful boolean, themes_wanted text[])
returns table (figure text, value text)
language sql immutable
begin atomic
  select 'answers', 'given'
  union all
  select 'rating', rating::text where rating is not null
  union all
  select 'useful', useful::text where useful is not null
  union all
  select distinct 'themes_wanted', theme from unnest(themes_wanted) as theme;
end;
comment on function what_feedback_says(int, boolean, text[]) is
  'The figures that one answer says something to, and what: it adds one to the count of each of these values.';

create or replace function count_feedback(given feedback, sign int) returns void language plpgsql as $$
declare
  said jsonb := (
    select jsonb_object_agg(figure, tally) from (
      select figure, jsonb_object_agg(value, 1) as tally
      from what_feedback_says(given.rating, given.useful, given.themes_wanted) group by figure) as tallies);
begin
  if given.direction = 'tutor_to_participant' then
    update feedback_summaries as summary set version = nextval('versions'), figures = summary.figures || (
      select jsonb_object_agg(figure, add_tallies(coalesce(summary.figures -> figure, '{}'), tally, sign))
      from jsonb_each(said) as own (figure, tally))
    where event_id = given.event_id and direction = given.direction;
  elsif sign > 0 then
    insert into feedback_tallies as stored (event_id, figure, municipality_code, tally)
    select given.event_id, figure, given.municipality_code, tally from jsonb_each(said) as own (figure, tally)
    on conflict (event_id, figure, municipality_code) do update set tally = add_tallies(stored.tally, excluded.tally, 1);
  else
    update feedback_summaries set only_grew = false
    where event_id = given.event_id and direction = given.direction and only_grew;
    update feedback_tallies as stored set tally = add_tallies(stored.tally, own.tally, -1)
    from jsonb_each(said) as own (figure, tally)
    where stored.event_id = given.event_id and stored.municipality_code = given.municipality_code
      and stored.figure = own.figure;
  end if;
end $$;

drop function what_feedback_says(feedback);

create function summarize_new_feedback() returns trigger language plpgsql as $$
begin
  -- In one order: who gives feedback on the same events waits, and never each for the other.
  perform lock_feedback_summary(event_id, direction)
  from (select distinct event_id, direction from given order by event_id, direction) as summaries;

  with said as (
    select event_id, figure, jsonb_object_agg(value, count) as tally from (
      select event_id, figure, value, count(*) as count
      from given cross join lateral what_feedback_says(rating, useful, themes_wanted)
      where direction = 'tutor_to_participant' group by event_id, figure, value) as counts
    group by event_id, figure)
  update feedback_summaries as summary set version = nextval('versions'), figures = summary.figures || (
    select jsonb_object_agg(figure, add_tallies(coalesce(summary.figures -> figure, '{}'), tally, 1))
    from said where said.event_id = summary.event_id)
  where direction = 'tutor_to_participant' and event_id in (select event_id from said);

  insert into feedback_tallies as stored (event_id, figure, municipality_code, tally)
  select event_id, figure, municipality_code, jsonb_object_agg(value, count) from (
    select event_id, figure, municipality_code, value, count(*) as count
    from given cross join lateral what_feedback_says(rating, useful, themes_wanted)
    where direction = 'participant_to_tutor' group by event_id, figure, municipality_code, value) as counts
  group by event_id, figure, municipality_code
  on conflict (event_id, figure, municipality_code) do update set tally = add_tallies(stored.tally, excluded.tally, 1);

  insert into feedback_comments (feedback_id, event_id, direction, municipality_code, shown)
  select id, event_id, direction, municipality_code, direction = 'tutor_to_participant' from given
  where publish_consent and comment is not null;

  -- Where answers of one or two municipalities wait publish_feedback would do nothing.
  perform publish_feedback(event_id)
  from (select distinct event_id from given where direction = 'participant_to_tutor') as events
  where (select count(*) from feedback_tallies as tally
    where tally.event_id = events.event_id and figure = 'answers' and waits) not in (1, 2);
  return null;
end $$;
comment on function summarize_new_feedback is
  'After a statement that gives feedback: the roll-ups follow in the same transaction.';

create or replace function summarize_feedback() returns trigger language plpgsql as $$
declare
  before feedback := old;
  after feedback := case tg_op when 'DELETE' then null else new end;
begin
  perform lock_feedback_summary(before.event_id, before.direction);
  if (before.municipality_code, before.rating, before.useful, before.themes_wanted)
    is distinct from (after.municipality_code, after.rating, after.useful, after.themes_wanted)
  then
    perform count_feedback(before, -1);
    perform count_feedback(after, 1) where after.id is not null;
  end if;
  if (before.comment, before.language, before.publish_consent, before.municipality_code)
    is distinct from (after.comment, after.language, after.publish_consent, after.municipality_code)
  then
    perform list_comment(before, after);
  end if;
  if before.direction = 'participant_to_tutor' then
    perform publish_feedback(before.event_id);
  end if;
  return null;
end $$;
comment on function summarize_feedback is
  'After an edit or a deletion of feedback: the roll-ups follow in the same transaction.';

drop trigger summarize_on_insert on feedback;
create trigger summarize_on_insert after insert on feedback referencing new table as given
  for each statement execute function summarize_new_feedback();
