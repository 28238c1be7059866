-- A municipality gives feedback as a tutor only on events that it hosts or at which one of its tutors presents. Before this
-- migration it could do so on every event.

alter function check_feedback_time rename to check_feedback_event;
alter trigger check_time on feedback rename to check_event;

create or replace function check_feedback_event() returns trigger language plpgsql as $$
declare
  event record;
begin
  -- The lock keeps the event from changing until this transaction ends. Several answers can hold it at once.
  select id, status, starts_at, ends_at, host_municipality_code, tutors into event
  from events where id = new.event_id for share;
  if found and not (event.status in ('published', 'completed') and event.starts_at <= clock_now()) then
    raise check_violation using constraint = 'feedback_event_has_started',
      message = 'feedback is about an event that is published or completed and has started';
  end if;
  if event.ends_at < clock_now() - interval '60 days' then
    raise check_violation using constraint = 'feedback_within_60_days',
      message = 'feedback is accepted until 60 days after the end of the event';
  end if;
  -- Only the columns that the rule is about count in an update: an answer that was allowed when it was given can be
  -- corrected and its comment withdrawn, even if the tutors of the event have changed since.
  if new.direction = 'tutor_to_participant' and event.id is not null
    and (tg_op = 'INSERT' or (new.event_id, new.direction, new.municipality_code)
      is distinct from (old.event_id, old.direction, old.municipality_code))
    and new.municipality_code is distinct from event.host_municipality_code
    and not exists (select from tutors where id = any (event.tutors) and municipality_code = new.municipality_code)
  then
    raise check_violation using constraint = 'feedback_tutor_of_event',
      message = 'feedback of a tutor is from the host municipality of the event or from the municipality of one of its tutors';
  end if;
  return new;
end $$;
comment on function check_feedback_event is
  'Before feedback is written: the event must be published or completed, must have started, and must have ended at most 60 days ago. Feedback of a tutor must be from the host municipality of the event or from the municipality of one of its tutors.';
