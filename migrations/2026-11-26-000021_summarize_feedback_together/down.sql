drop trigger summarize_on_insert on feedback;
drop function summarize_new_feedback();

create function what_feedback_says(given feedback) returns table (figure text, tally jsonb)
language sql stable
begin atomic
  select 'answers', '{"given": 1}'::jsonb
  union all
  select 'rating', jsonb_build_object(given.rating::text, 1) where given.rating is not null
  union all
  select 'useful', jsonb_build_object(given.useful::text, 1) where given.useful is not null
  union all
  select 'themes_wanted', jsonb_object_agg(theme, 1) from unnest(given.themes_wanted) as theme having count(*) > 0;
end;
comment on function what_feedback_says(feedback) is
  'What one answer adds to each figure that it says something to: a tally, from value to count.';

create or replace function count_feedback(given feedback, sign int) returns void language plpgsql as $$
begin
  if given.direction = 'tutor_to_participant' then
    update feedback_summaries as summary set version = nextval('versions'), figures = summary.figures || (
      select jsonb_object_agg(figure, add_tallies(coalesce(summary.figures -> figure, '{}'), tally, sign))
      from what_feedback_says(given))
    where event_id = given.event_id and direction = given.direction;
  elsif sign > 0 then
    insert into feedback_tallies as stored (event_id, figure, municipality_code, tally)
    select given.event_id, figure, given.municipality_code, tally from what_feedback_says(given)
    on conflict (event_id, figure, municipality_code) do update set tally = add_tallies(stored.tally, excluded.tally, 1);
  else
    update feedback_summaries set only_grew = false
    where event_id = given.event_id and direction = given.direction and only_grew;
    update feedback_tallies as stored set tally = add_tallies(stored.tally, said.tally, -1)
    from what_feedback_says(given) as said
    where stored.event_id = given.event_id and stored.municipality_code = given.municipality_code
      and stored.figure = said.figure;
  end if;
end $$;

drop function what_feedback_says(int, boolean, text[]);

create or replace function summarize_feedback() returns trigger language plpgsql as $$
declare
  before feedback := case tg_op when 'INSERT' then null else old end;
  after feedback := case tg_op when 'DELETE' then null else new end;
begin
  perform lock_feedback_summary(coalesce(after.event_id, before.event_id), coalesce(after.direction, before.direction));
  if (before.municipality_code, before.rating, before.useful, before.themes_wanted)
    is distinct from (after.municipality_code, after.rating, after.useful, after.themes_wanted)
  then
    perform count_feedback(before, -1) where before.id is not null;
    perform count_feedback(after, 1) where after.id is not null;
  end if;
  if (before.comment, before.language, before.publish_consent, before.municipality_code)
    is distinct from (after.comment, after.language, after.publish_consent, after.municipality_code)
  then
    perform list_comment(before, after);
  end if;
  if coalesce(after.direction, before.direction) = 'participant_to_tutor' then
    perform publish_feedback(coalesce(after.event_id, before.event_id));
  end if;
  return null;
end $$;
comment on function summarize_feedback is 'After any write of feedback: the roll-ups follow in the same transaction.';

create trigger summarize_on_insert after insert on feedback for each row execute function summarize_feedback();
