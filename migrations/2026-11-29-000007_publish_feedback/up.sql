-- Publishing feedback. Triggers update the summaries in the transaction that writes the feedback. Answers of participants are
-- published in steps that never reveal the answers of fewer than three municipalities: src/resources/feedback has the rule.

create function can_publish_figure(of_event uuid, of_figure text) returns boolean language plpgsql stable as $$
begin
  perform from feedback_summaries where event_id = of_event and direction = 'participant_to_tutor' and only_grew;
  if found then
    -- Tallies that only grew never equal an earlier state, so the last published state is the nearest. The caller of this
    -- function has already compared that one.
    return true;
  end if;
  return not exists (
    with equal_states as (
      select since as from_step, null::int as until_step from feedback_tallies
      where event_id = of_event and figure = of_figure and not waits
      union all
      select from_step, until_step
      from feedback_tallies join feedback_tally_states as state using (event_id, figure, municipality_code)
      where event_id = of_event and figure = of_figure and tally_hash = jsonb_hash_extended(tally, 0)),
    -- The number of equal tallies changes only at these steps.
    turns as (
      select from_step as step from equal_states
      union
      select until_step from equal_states where until_step is not null),
    counts as (
      select count(*) as number_equal
      from turns join equal_states on step >= from_step and (until_step is null or step < until_step)
      group by step)
    select from counts, (
      select count(*) as number from feedback_tallies where event_id = of_event and figure = of_figure) as tallies
    where number - number_equal between 1 and 2);
end $$;
comment on function can_publish_figure is
  'Whether the current state of a figure for which at least three municipalities wait may be published: each state that was published before must be equal to it or differ from it in at least three municipalities.';

create function publish_step(of_event uuid, published_figures text[]) returns void language plpgsql as $$
declare
  step int;
begin
  update feedback_summaries as summary
  set steps = steps + 1, version = nextval('versions'), figures = figures - published_figures || (
    select coalesce(jsonb_object_agg(figure, tally), '{}') from (
      select figure, jsonb_object_agg(value, count) as tally from (
        select figure, value, sum(count::int) as count from (
          select figure, value, count
          from jsonb_each(summary.figures) as old (figure, tally), jsonb_each_text(tally) as own (value, count)
          where figure = any (published_figures)
          union all
          select figure, value, count from feedback_tallies, jsonb_each_text(tally) as own (value, count)
          where event_id = of_event and figure = any (published_figures) and waits
          union all
          select figure, value, '-' || count from feedback_tallies, jsonb_each_text(published) as own (value, count)
          where event_id = of_event and figure = any (published_figures) and waits) as changes
        group by figure, value having sum(count::int) <> 0) as counts
      group by figure) as sums)
  where event_id = of_event and direction = 'participant_to_tutor' returning steps into step;
  insert into feedback_tally_states (event_id, figure, municipality_code, from_step, until_step, tally_hash)
  select event_id, figure, municipality_code, since, step, jsonb_hash_extended(published, 0) from feedback_tallies
  where event_id = of_event and figure = any (published_figures) and waits;
  update feedback_tallies set published = tally, since = step
  where event_id = of_event and figure = any (published_figures) and waits;
end $$;
comment on function publish_step is 'Publishes these figures of an event, with the current answers.';

create function publish_comments(of_event uuid) returns void language plpgsql as $$
declare
  waiting text[] := array(select code from municipalities where exists (
    select from feedback_comments where event_id = of_event and municipality_code = code and not shown));
begin
  if cardinality(waiting) >= 3 then
    update feedback_comments set shown = true where feedback_id in (
      select feedback_id from unnest(waiting) as code cross join lateral (
        select feedback_id from feedback_comments
        where event_id = of_event and municipality_code = code and not shown order by place limit 40) as first_of_each);
    update feedback_summaries set version = nextval('versions')
    where event_id = of_event and direction = 'participant_to_tutor';
  end if;
end $$;
comment on function publish_comments is
  'Publishes waiting comments if they are from at least three municipalities. It publishes at most 40 of each municipality at a time, so that no write takes long.';

create function publish_feedback(of_event uuid) returns void language plpgsql as $$
declare
  enough text[];
  publishable text[];
  uncounted int;
begin
  select array_agg(figure) filter (where number >= 3), coalesce(max(number) filter (where figure = 'answers'), 0)
  into enough, uncounted from (
    select figure, count(*) as number from feedback_tallies where event_id = of_event and waits
    group by figure) as counts;
  if uncounted in (1, 2) then
    return;
  end if;
  publishable := array(select figure from unnest(enough) as figure where can_publish_figure(of_event, figure));
  if uncounted > 0 and not 'answers' = any (publishable) then
    return;
  end if;
  if publishable <> '{}' then
    perform publish_step(of_event, publishable);
  end if;
  perform publish_comments(of_event);
end $$;
comment on function publish_feedback is
  'Publishes the figures and comments of an event that may be published. While the number of answers waits, everything else waits too.';

create function list_comment(before feedback, after feedback) returns void language plpgsql as $$
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
comment on function list_comment is
  'Updates feedback_comments after an edit or a deletion of feedback. A comment that is withdrawn disappears at once. A new comment of a participant waits to be published.';

create function first_comments(of_events uuid[], of_direction text, most int) returns setof uuid
language plpgsql stable rows 100 as $$
begin
  return query
  select feedback_id from unnest(of_events) as of_event cross join lateral (
    select feedback_id, place from feedback_comments
    where event_id = of_event and direction = of_direction and shown order by place limit most) as first
  order by place limit most;
end $$;
comment on function first_comments is
  'The feedback ids of the first published comments about these events, at most this many. In PL/pgSQL, so that PostgreSQL plans the query once for each connection.';

-- Triggers ----------------------------------------------------------------------------------------------------------

-- All rows of a statement are counted together, which costs far less than row by row. A statement takes at most one step
-- for each event.
create function summarize_new_feedback() returns trigger language plpgsql as $$
begin
  -- In a fixed order, so that two transactions with answers about the same events never wait for each other.
  perform lock_feedback_summary(event_id, direction)
  from (select distinct event_id, direction from new_feedback order by event_id, direction) as summaries;

  with tallies as (
    select event_id, figure, jsonb_object_agg(value, count) as tally from (
      select event_id, figure, value, count(*) as count
      from new_feedback cross join lateral feedback_figures(rating, useful, themes_wanted)
      where direction = 'tutor_to_participant' group by event_id, figure, value) as counts
    group by event_id, figure)
  update feedback_summaries as summary set version = nextval('versions'), figures = summary.figures || (
    select jsonb_object_agg(figure, add_tallies(coalesce(summary.figures -> figure, '{}'), tally, 1))
    from tallies where tallies.event_id = summary.event_id)
  where direction = 'tutor_to_participant' and event_id in (select event_id from tallies);

  insert into feedback_tallies as stored (event_id, figure, municipality_code, tally)
  select event_id, figure, municipality_code, jsonb_object_agg(value, count) from (
    select event_id, figure, municipality_code, value, count(*) as count
    from new_feedback cross join lateral feedback_figures(rating, useful, themes_wanted)
    where direction = 'participant_to_tutor' group by event_id, figure, municipality_code, value) as counts
  group by event_id, figure, municipality_code
  on conflict (event_id, figure, municipality_code) do update set tally = add_tallies(stored.tally, excluded.tally, 1);

  insert into feedback_comments (feedback_id, event_id, direction, municipality_code, shown)
  select id, event_id, direction, municipality_code, direction = 'tutor_to_participant' from new_feedback
  where publish_consent and comment is not null;

  -- While the answers of one or two municipalities wait, publish_feedback would do nothing.
  perform publish_feedback(event_id)
  from (select distinct event_id from new_feedback where direction = 'participant_to_tutor') as events
  where (select count(*) from feedback_tallies as tally
    where tally.event_id = events.event_id and figure = 'answers' and waits) not in (1, 2);
  return null;
end $$;
comment on function summarize_new_feedback is
  'After a statement that creates feedback: updates the summaries in the same transaction.';

create function summarize_changed_feedback() returns trigger language plpgsql as $$
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
comment on function summarize_changed_feedback is
  'After feedback is edited or deleted: updates the summaries in the same transaction.';

create trigger summarize_on_insert after insert on feedback referencing new table as new_feedback
  for each statement execute function summarize_new_feedback();
create trigger summarize_on_delete after delete on feedback
  for each row execute function summarize_changed_feedback();
create trigger summarize_on_update after update on feedback for each row
  when ((new.municipality_code, new.rating, new.useful, new.themes_wanted, new.comment, new.language, new.publish_consent)
    is distinct from
    (old.municipality_code, old.rating, old.useful, old.themes_wanted, old.comment, old.language, old.publish_consent))
  execute function summarize_changed_feedback();
