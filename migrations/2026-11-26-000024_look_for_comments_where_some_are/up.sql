-- A tutor's summary knows at which of the tutor's events there is feedback, before it asks for comments: they are looked for
-- there only. tutor_comments stays for the instances of the version before.
create function first_comments(of_events uuid[], of_direction text, most int) returns setof uuid
language plpgsql stable rows 100 as $$
begin
  return query
  select feedback_id from unnest(of_events) as of_event cross join lateral (
    select feedback_id, place from feedback_comments
    where event_id = of_event and direction = of_direction and shown order by place limit most) as first
  order by place limit most;
end $$;
comment on function first_comments is 'The first comments that are shown at these events, this many at most.';
