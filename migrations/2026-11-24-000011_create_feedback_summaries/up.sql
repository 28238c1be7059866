-- Roll-ups of feedback, kept in the writing transaction. What participants say is published in steps: the rule is told
-- in src/resources/summaries/mod.rs.

create table feedback_summaries (
  event_id uuid references events on delete cascade,
  direction text,
  figures jsonb not null default '{}',
  steps int not null default 0,
  only_grew boolean not null default true,
  version bigint not null default 0,
  primary key (event_id, direction)
) with (fillfactor = 50);

create table feedback_tallies (
  event_id uuid references events on delete cascade,
  figure text,
  municipality_code text,
  tally jsonb not null,
  published jsonb not null default '{}',
  waits boolean not null generated always as (tally <> published) stored,
  since int not null default 0,
  primary key (event_id, figure, municipality_code)
) with (fillfactor = 50);

create table feedback_tally_states (
  event_id uuid references events on delete cascade,
  figure text,
  municipality_code text,
  from_step int,
  until_step int not null,
  tally_hash bigint not null,
  primary key (event_id, figure, municipality_code, from_step)
);
create index feedback_tally_states_by_hash on feedback_tally_states (event_id, figure, municipality_code, tally_hash);

create table feedback_comments (
  feedback_id uuid primary key,
  event_id uuid not null,
  direction text not null,
  municipality_code text not null,
  place uuid not null default gen_random_uuid(),
  shown boolean not null
);
create index feedback_comments_shown on feedback_comments (event_id, direction, place) where shown;
create index feedback_comments_waiting on feedback_comments (event_id, municipality_code, place) where not shown;

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
comment on function what_feedback_says is
  'What one answer adds to each figure that it says something to: a tally, from value to count.';

create function add_tallies(one jsonb, other jsonb, sign int) returns jsonb language plpgsql immutable as $$
declare
  value text;
  count int;
begin
  for value, count in select * from jsonb_each_text(other) loop
    count := coalesce((one ->> value)::int, 0) + sign * count;
    one := case count when 0 then one - value else one || jsonb_build_object(value, count) end;
  end loop;
  return one;
end $$;
comment on function add_tallies is 'The one tally with the other added (sign 1) or taken away (-1); no value has the count 0.';

create function lock_feedback_summary(of_event uuid, of_direction text) returns void language plpgsql as $$
begin
  perform from feedback_summaries where event_id = of_event and direction = of_direction for update;
  if not found then
    insert into feedback_summaries (event_id, direction) values (of_event, of_direction) on conflict do nothing;
    perform from feedback_summaries where event_id = of_event and direction = of_direction for update;
  end if;
end $$;
comment on function lock_feedback_summary is 'Lets those who write feedback on one event wait for each other from here to their commit.';

create function count_feedback(given feedback, sign int) returns void language plpgsql as $$
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
comment on function count_feedback is
  'Adds an answer (sign 1) or takes it away (-1): what tutors say at once, what participants say in what waits to be published.';

create function is_apart_from_all_before(of_event uuid, of_figure text) returns boolean language plpgsql stable as $$
begin
  perform from feedback_summaries where event_id = of_event and direction = 'participant_to_tutor' and only_grew;
  if found then
    return true;
  end if;
  return not exists (
    with alike as (
      select since as from_step, null::int as until_step from feedback_tallies
      where event_id = of_event and figure = of_figure and not waits
      union all
      select from_step, until_step
      from feedback_tallies join feedback_tally_states as state using (event_id, figure, municipality_code)
      where event_id = of_event and figure = of_figure and tally_hash = jsonb_hash_extended(tally, 0)),
    turns as (select from_step as step from alike union select until_step from alike where until_step is not null),
    counts as (
      select count(*) as number from turns join alike on step >= from_step and (until_step is null or step < until_step)
      group by step)
    select from counts, (
      select count(*) as all_of_them from feedback_tallies where event_id = of_event and figure = of_figure) as tallies
    where all_of_them - number between 1 and 2);
end $$;
comment on function is_apart_from_all_before is
  'Of a figure that waits with three municipalities at least: whether each state of it that was ever published is the '
  'figure as it would be published now, or differs from it in three municipalities. Where nothing was ever taken away the '
  'last state is the nearest; else it is looked at wherever a municipality begins or ceases to be as it is now.';

create function take_feedback_step(of_event uuid, taken text[]) returns void language plpgsql as $$
declare
  step int;
begin
  update feedback_summaries as summary
  set steps = steps + 1, version = nextval('versions'), figures = figures - taken || (
    select coalesce(jsonb_object_agg(figure, tally), '{}') from (
      select figure, jsonb_object_agg(value, count) as tally from (
        select figure, value, sum(count::int) as count from (
          select figure, value, count
          from jsonb_each(summary.figures) as old (figure, tally), jsonb_each_text(tally) as own (value, count)
          where figure = any (taken)
          union all
          select figure, value, count from feedback_tallies, jsonb_each_text(tally) as own (value, count)
          where event_id = of_event and figure = any (taken) and waits
          union all
          select figure, value, '-' || count from feedback_tallies, jsonb_each_text(published) as own (value, count)
          where event_id = of_event and figure = any (taken) and waits) as changes
        group by figure, value having sum(count::int) <> 0) as counts
      group by figure) as sums)
  where event_id = of_event and direction = 'participant_to_tutor' returning steps into step;
  insert into feedback_tally_states
  select event_id, figure, municipality_code, since, step, jsonb_hash_extended(published, 0) from feedback_tallies
  where event_id = of_event and figure = any (taken) and waits;
  update feedback_tallies set published = tally, since = step
  where event_id = of_event and figure = any (taken) and waits;
end $$;
comment on function take_feedback_step is 'Publishes these figures of an event as its answers are now.';

create function show_waiting_comments(of_event uuid) returns void language plpgsql as $$
declare
  waiting text[] := array(select code from municipalities where exists (
    select from feedback_comments where event_id = of_event and municipality_code = code and not shown));
begin
  if cardinality(waiting) >= 3 then
    update feedback_comments set shown = true where feedback_id in (
      select feedback_id from unnest(waiting) as code cross join lateral (
        select feedback_id from feedback_comments
        where event_id = of_event and municipality_code = code and not shown order by place limit 40) as some_of_its);
    update feedback_summaries set version = nextval('versions')
    where event_id = of_event and direction = 'participant_to_tutor';
  end if;
end $$;
comment on function show_waiting_comments is
  'Shows the comments that wait when they are of three municipalities at least; of each 40 at a time, so that no write takes long.';

create function publish_feedback(of_event uuid) returns void language plpgsql as $$
declare
  waiting text[];
  taken text[];
  uncounted int;
begin
  select array_agg(figure) filter (where number >= 3), coalesce(max(number) filter (where figure = 'answers'), 0)
  into waiting, uncounted from (
    select figure, count(*) as number from feedback_tallies where event_id = of_event and waits
    group by figure) as counts;
  if uncounted in (1, 2) then
    return;
  end if;
  taken := array(select figure from unnest(waiting) as figure where is_apart_from_all_before(of_event, figure));
  if uncounted > 0 and not 'answers' = any (taken) then
    return;
  end if;
  if taken <> '{}' then
    perform take_feedback_step(of_event, taken);
  end if;
  perform show_waiting_comments(of_event);
end $$;
comment on function publish_feedback is
  'Publishes what may be published; what answers say waits for as long as the answers themselves wait to be counted.';

create function list_comment(before feedback, after feedback) returns void language plpgsql as $$
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
comment on function list_comment is
  'Keeps feedback_comments: what is no longer said or no longer consented to is gone at once; what is new waits.';

create function summarize_feedback() returns trigger language plpgsql as $$
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

create function tutor_comments(of_tutor uuid, of_direction text, most int) returns setof uuid
language sql stable rows 100
begin atomic
  select feedback_id from event_tutors cross join lateral (
    select feedback_id, place from feedback_comments
    where event_id = event_tutors.event_id and direction = of_direction and shown order by place limit most) as first
  where tutor_id = of_tutor order by place limit most;
end;
comment on function tutor_comments is 'The first comments that are shown at a tutor''s events, this many at most.';

create trigger summarize_on_insert after insert on feedback for each row execute function summarize_feedback();
create trigger summarize_on_delete after delete on feedback for each row execute function summarize_feedback();
create trigger summarize_on_update after update on feedback for each row
  when ((new.municipality_code, new.rating, new.useful, new.themes_wanted, new.comment, new.language, new.publish_consent)
    is distinct from
    (old.municipality_code, old.rating, old.useful, old.themes_wanted, old.comment, old.language, old.publish_consent))
  execute function summarize_feedback();

-- What was given before this migration.
with counts as (
  select event_id, direction, municipality_code, figure, value, count(*) as count
  from feedback as given cross join lateral what_feedback_says(given) cross join lateral jsonb_object_keys(tally) as value
  group by event_id, direction, municipality_code, figure, value),
tallies as (
  insert into feedback_tallies (event_id, figure, municipality_code, tally)
  select event_id, figure, municipality_code, jsonb_object_agg(value, count) from counts
  where direction = 'participant_to_tutor' group by event_id, figure, municipality_code),
sums as (
  select event_id, figure, value, sum(count) as count from counts
  where direction = 'tutor_to_participant' group by event_id, figure, value)
insert into feedback_summaries (event_id, direction, figures, version)
select event_id, 'tutor_to_participant', jsonb_object_agg(figure, tally), nextval('versions') from (
  select event_id, figure, jsonb_object_agg(value, count) as tally from sums group by event_id, figure) as figures
group by event_id;
insert into feedback_summaries (event_id, direction)
select distinct event_id, 'participant_to_tutor' from feedback_tallies;
insert into feedback_comments (feedback_id, event_id, direction, municipality_code, shown)
select id, event_id, direction, municipality_code, direction = 'tutor_to_participant' from feedback
where publish_consent and comment is not null;
select count(publish_feedback(event_id)) from feedback_summaries where direction = 'participant_to_tutor';

comment on table feedback_summaries is 'What is published of the feedback on an event, a row for each direction.';
comment on column feedback_summaries.event_id is 'The event.';
comment on column feedback_summaries.direction is 'As in feedback.';
comment on column feedback_summaries.figures is
  'From the figure (answers, rating, useful, themes_wanted) to its tally, from value to count; what participants say as it is published.';
comment on column feedback_summaries.steps is 'How many steps there have been; what tutors say has none.';
comment on column feedback_summaries.only_grew is
  'Whether no answer was ever edited or deleted, so that no tally can be again as it once was.';
comment on column feedback_summaries.version is 'Drawn from versions whenever what is published changes; 0 until then.';
comment on table feedback_tallies is 'What the participants of a municipality say of an event, a row for each figure. Internal.';
comment on column feedback_tallies.event_id is 'The event.';
comment on column feedback_tallies.figure is 'answers, rating, useful or themes_wanted.';
comment on column feedback_tallies.municipality_code is 'The givers'' municipality.';
comment on column feedback_tallies.tally is 'From value to count, as the answers are now.';
comment on column feedback_tallies.published is 'The same as it stands in what is published.';
comment on column feedback_tallies.waits is 'Whether the two differ.';
comment on column feedback_tallies.since is 'The step that published took effect in; 0 for nothing at the beginning.';
comment on table feedback_tally_states is
  'What a municipality''s part in the published figures was before, so that a step is held against all before it. Internal.';
comment on column feedback_tally_states.event_id is 'The event.';
comment on column feedback_tally_states.figure is 'As in feedback_tallies.';
comment on column feedback_tally_states.municipality_code is 'As in feedback_tallies.';
comment on column feedback_tally_states.from_step is 'The step that it took effect in.';
comment on column feedback_tally_states.until_step is 'The step that replaced it.';
comment on column feedback_tally_states.tally_hash is 'jsonb_hash_extended(tally, 0): enough to know it again.';
comment on table feedback_comments is 'The comments that may be published; their texts are in feedback.';
comment on column feedback_comments.feedback_id is 'The feedback.';
comment on column feedback_comments.event_id is 'The feedback''s.';
comment on column feedback_comments.direction is 'The feedback''s.';
comment on column feedback_comments.municipality_code is 'The feedback''s.';
comment on column feedback_comments.place is 'A random place in the order, which tells neither time nor municipality.';
comment on column feedback_comments.shown is 'Whether it is published; what tutors say is at once.';
