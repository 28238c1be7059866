create or replace function tutor_comments(of_tutor uuid, of_direction text, most int) returns setof uuid
language sql stable rows 100
begin atomic
  select feedback_id from event_tutors cross join lateral (
    select feedback_id, place from feedback_comments
    where event_id = event_tutors.event_id and direction = of_direction and shown order by place limit most) as first
  where tutor_id = of_tutor order by place limit most;
end;
