-- Summaries of feedback: their tables, and the functions that count answers. The next migration has the rest.

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

comment on table feedback_summaries is 'The published figures of the feedback on an event, one row for each direction.';
comment on column feedback_summaries.event_id is 'The event.';
comment on column feedback_summaries.direction is 'participant_to_tutor or tutor_to_participant.';
comment on column feedback_summaries.figures is
  'An object from each figure (answers, rating, useful, themes_wanted) to its tally, which is an object from value to count. For participants it is as of the last step.';
comment on column feedback_summaries.steps is
  'Number of steps in which answers of participants have been published. Answers of tutors have no steps.';
comment on column feedback_summaries.only_grew is
  'Whether no answer has been edited or deleted. If so, no tally can return to an earlier state.';
comment on column feedback_summaries.version is
  'A new version is drawn from the sequence versions whenever the published figures or comments change. 0 until then.';
comment on table feedback_tallies is
  'The answers of the participants of one municipality about an event, one row for each figure. Internal.';
comment on column feedback_tallies.event_id is 'The event.';
comment on column feedback_tallies.figure is 'answers, rating, useful or themes_wanted.';
comment on column feedback_tallies.municipality_code is 'The municipality of the respondents.';
comment on column feedback_tallies.tally is 'An object from value to count: the current answers.';
comment on column feedback_tallies.published is 'The tally that the published figure includes.';
comment on column feedback_tallies.waits is 'Whether the tally differs from its published state.';
comment on column feedback_tallies.since is 'The step that published the state in published. 0 for the empty state at the beginning.';
comment on table feedback_tally_states is
  'Earlier published states of the tallies. A new step is compared with all steps before it. Internal.';
comment on column feedback_tally_states.event_id is 'The event.';
comment on column feedback_tally_states.figure is 'answers, rating, useful or themes_wanted.';
comment on column feedback_tally_states.municipality_code is 'The municipality of the respondents.';
comment on column feedback_tally_states.from_step is 'The step that published the state.';
comment on column feedback_tally_states.until_step is 'The step that replaced it.';
comment on column feedback_tally_states.tally_hash is
  'jsonb_hash_extended(tally, 0), which is enough to recognise the state.';
comment on table feedback_comments is 'The comments that may be published. Their texts are in feedback.';
comment on column feedback_comments.feedback_id is 'The feedback.';
comment on column feedback_comments.event_id is 'The event of the feedback.';
comment on column feedback_comments.direction is 'The direction of the feedback.';
comment on column feedback_comments.municipality_code is 'The municipality of the respondent.';
comment on column feedback_comments.place is
  'A random place in the order of the comments, so that the order reveals neither time nor municipality.';
comment on column feedback_comments.shown is
  'Whether the comment is published. Comments of tutors are published at once.';

-- Counting ----------------------------------------------------------------------------------------------------------

create function feedback_figures(rating int, useful boolean, themes_wanted text[])
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
comment on function feedback_figures is
  'The figures that an answer with these fields counts in. It adds one to the count of each value.';

create function add_tallies(tally jsonb, other jsonb, sign int) returns jsonb language plpgsql immutable as $$
declare
  value text;
  count int;
begin
  for value, count in select * from jsonb_each_text(other) loop
    count := coalesce((tally ->> value)::int, 0) + sign * count;
    tally := case count when 0 then tally - value else tally || jsonb_build_object(value, count) end;
  end loop;
  return tally;
end $$;
comment on function add_tallies is
  'The tally with the other tally added (sign 1) or subtracted (sign -1). Values with the count 0 are left out.';

create function lock_feedback_summary(of_event uuid, of_direction text) returns void language plpgsql as $$
begin
  perform from feedback_summaries where event_id = of_event and direction = of_direction for update;
  if not found then
    insert into feedback_summaries (event_id, direction) values (of_event, of_direction) on conflict do nothing;
    perform from feedback_summaries where event_id = of_event and direction = of_direction for update;
  end if;
end $$;
comment on function lock_feedback_summary is
  'Locks the summary, creating it if needed: transactions that write feedback on the same event run one after the other from here to their commit.';

create function count_feedback(answer feedback, sign int) returns void language plpgsql as $$
declare
  tallies jsonb := (
    select jsonb_object_agg(figure, tally) from (
      select figure, jsonb_object_agg(value, 1) as tally
      from feedback_figures(answer.rating, answer.useful, answer.themes_wanted) group by figure) as figures);
begin
  if answer.direction = 'tutor_to_participant' then
    update feedback_summaries as summary set version = nextval('versions'), figures = summary.figures || (
      select jsonb_object_agg(figure, add_tallies(coalesce(summary.figures -> figure, '{}'), tally, sign))
      from jsonb_each(tallies) as own (figure, tally))
    where event_id = answer.event_id and direction = answer.direction;
  elsif sign > 0 then
    insert into feedback_tallies as stored (event_id, figure, municipality_code, tally)
    select answer.event_id, figure, answer.municipality_code, tally from jsonb_each(tallies) as own (figure, tally)
    on conflict (event_id, figure, municipality_code) do update set tally = add_tallies(stored.tally, excluded.tally, 1);
  else
    update feedback_summaries set only_grew = false
    where event_id = answer.event_id and direction = answer.direction and only_grew;
    update feedback_tallies as stored set tally = add_tallies(stored.tally, own.tally, -1)
    from jsonb_each(tallies) as own (figure, tally)
    where stored.event_id = answer.event_id and stored.municipality_code = answer.municipality_code
      and stored.figure = own.figure;
  end if;
end $$;
comment on function count_feedback is
  'Adds an answer (sign 1) or subtracts it (sign -1). An answer of a tutor is in the published figures at once. An answer of a participant is in the tallies and waits to be published.';
