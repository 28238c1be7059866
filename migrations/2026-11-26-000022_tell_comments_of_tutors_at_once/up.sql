-- What a tutor says is shown as soon as there is consent: then, too, the summary is another one. Without a new version a
-- caller who had it was told that it had not changed.
create or replace function list_comment(before feedback, after feedback) returns void language plpgsql as $$
declare
  was_shown boolean;
  is_shown boolean;
begin
  delete from feedback_comments where feedback_id = before.id returning shown into was_shown;
  if after.publish_consent and after.comment is not null then
    insert into feedback_comments (feedback_id, event_id, direction, municipality_code, shown) values (after.id,
      after.event_id, after.direction, after.municipality_code, after.direction = 'tutor_to_participant')
    returning shown into is_shown;
  end if;
  if was_shown or is_shown then
    update feedback_summaries set version = nextval('versions')
    where event_id = before.event_id and direction = before.direction;
  end if;
end $$;

-- Whoever kept a tag of such a summary asks anew.
update feedback_summaries set version = nextval('versions') where direction = 'tutor_to_participant';
