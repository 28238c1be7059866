create or replace function list_comment(before feedback, after feedback) returns void language plpgsql as $$
declare
  was_shown boolean;
begin
  delete from feedback_comments where feedback_id = before.id returning shown into was_shown;
  if after.publish_consent and after.comment is not null then
    insert into feedback_comments (feedback_id, event_id, direction, municipality_code, shown) values (after.id,
      after.event_id, after.direction, after.municipality_code, after.direction = 'tutor_to_participant');
  end if;
  if was_shown then
    update feedback_summaries set version = nextval('versions')
    where event_id = before.event_id and direction = before.direction;
  end if;
end $$;
