-- Mergers of municipalities. A municipality that has merged into another keeps its row and its history: it has an end and a
-- successor. The service moves the rows that are still in use to the successor; src/resources/directory/municipalities/merger
-- has the list of columns.

alter table municipalities
  add column successor_code text constraint municipalities_successor_code_exists references municipalities
    constraint municipalities_successor_code_not_itself check (successor_code <> code),
  add column ended_on date
    constraint municipalities_ended_on_range check (ended_on between '1900-01-01' and '2199-12-31'),
  add constraint municipalities_ended_with_successor check ((successor_code is null) = (ended_on is null)),
  -- Search also finds the names of the region.
  drop column search;
alter table municipalities
  add column search tsvector not null
    generated always as (search_vector(name, profile) || search_vector(null, region_name)) stored;
create index municipalities_search on municipalities using gin (search);
create index municipalities_by_successor on municipalities (successor_code) where successor_code is not null;
create index municipalities_ended on municipalities (code) where ended_on is not null;
create index municipalities_not_ended on municipalities (code) where ended_on is null;
comment on column municipalities.successor_code is
  'The municipality that this one has merged into. It may itself have ended later: current_municipality() follows the chain.';
comment on column municipalities.ended_on is 'The day from which the municipality no longer exists. Null while it exists.';
comment on column municipalities.search is 'The words that q searches: the names, the profile and the names of the region.';

create function current_municipality(of_code text) returns text
language plpgsql stable parallel safe set search_path from current as $$
declare
  next_code text;
begin
  loop
    select successor_code into next_code from municipalities where code = of_code;
    if next_code is null then
      return of_code;
    end if;
    of_code := next_code;
  end loop;
end $$;
comment on function current_municipality is
  'The municipality itself while it exists, else the one at the end of its chain of successors. A merger is refused for a successor that has ended, so the chain has no cycle.';

-- Writes that name a municipality that has ended ------------------------------------------------------------------------
-- The triggers fire after those of the foreign keys, which come first in the order of names. By then the transaction holds
-- a lock on the municipality, so a merger has either committed, and is seen here, or waits for this transaction.

create function refuse_ended(codes text[], field text) returns void
language plpgsql set search_path from current as $$
declare
  ended record;
begin
  select code, ended_on into ended from municipalities
  where ended_on is not null and code = any (codes) order by code limit 1;
  if found then
    raise check_violation using constraint = 'municipality_ended', column = field,
      message = 'a municipality that has ended cannot be named',
      detail = format('the municipality %s ended on %s; use %s, which it has merged into',
        ended.code, ended.ended_on, current_municipality(ended.code));
  end if;
end $$;
comment on function refuse_ended is
  'Refuses these codes if one of them is that of a municipality that has ended. The field is reported as the column of the error.';

create function refuse_ended_municipality() returns trigger language plpgsql set search_path from current as $$
begin
  perform refuse_ended(array[new.municipality_code], 'municipality_code');
  return null;
end $$;
comment on function refuse_ended_municipality is
  'After a row gets another municipality_code: refuses a municipality that has ended.';

create function refuse_ended_of_new_feedback() returns trigger language plpgsql set search_path from current as $$
begin
  perform refuse_ended(array(select municipality_code from new_feedback), 'municipality_code');
  return null;
end $$;
comment on function refuse_ended_of_new_feedback is
  'After a statement that creates feedback: refuses municipalities that have ended.';

create function is_event_held(status text, ends_at timestamptz) returns boolean
language sql stable parallel safe
return status in ('completed', 'cancelled') or status = 'published' and ends_at <= clock_now();
comment on function is_event_held is
  'Whether an event is history: it is completed or cancelled, or it is published and has ended. It keeps the codes of municipalities that have ended.';

create function refuse_ended_of_event() returns trigger language plpgsql set search_path from current as $$
declare
  kept text[] := '{}';
  named text[];
begin
  if tg_op = 'UPDATE' and is_event_held(new.status, new.ends_at) then
    kept := old.audience || old.host_municipality_code || old.venue_municipality_code;
  end if;
  perform refuse_ended(array[new.host_municipality_code], 'host_municipality_code')
  where new.host_municipality_code <> all (kept) is not false;
  perform refuse_ended(array[new.venue_municipality_code], 'venue/municipality_code')
  where new.venue_municipality_code <> all (kept) is not false;
  named := array(select code from unnest(new.audience) as code where code <> all (kept) is not false);
  if named <> '{}' then
    perform refuse_ended(named, 'audience');
  end if;
  return null;
end $$;
comment on function refuse_ended_of_event is
  'After an event is written: refuses municipalities that have ended. An event that has been held may keep those that it had.';

create trigger refuse_ended_on_insert after insert on tutors
  for each row execute function refuse_ended_municipality();
create trigger refuse_ended_on_update after update on tutors for each row
  when (new.municipality_code <> old.municipality_code or old.status = 'ended' and new.status <> 'ended')
  execute function refuse_ended_municipality();
create trigger refuse_ended_on_insert after insert on events
  for each row execute function refuse_ended_of_event();
create trigger refuse_ended_on_update after update on events for each row
  when ((new.host_municipality_code, new.venue_municipality_code, new.audience, new.status, new.ends_at)
    is distinct from
    (old.host_municipality_code, old.venue_municipality_code, old.audience, old.status, old.ends_at))
  execute function refuse_ended_of_event();
create trigger refuse_ended_on_insert after insert on feedback referencing new table as new_feedback
  for each statement execute function refuse_ended_of_new_feedback();
create trigger refuse_ended_on_update after update on feedback for each row
  when (new.municipality_code <> old.municipality_code) execute function refuse_ended_municipality();
create trigger refuse_ended_on_insert after insert on accounts for each row
  when (new.municipality_code is not null) execute function refuse_ended_municipality();
create trigger refuse_ended_on_update after update on accounts for each row
  when (new.municipality_code is distinct from old.municipality_code) execute function refuse_ended_municipality();
create trigger refuse_ended_on_insert after insert on clients for each row
  when (new.municipality_code is not null) execute function refuse_ended_municipality();
create trigger refuse_ended_on_update after update on clients for each row
  when (new.municipality_code is distinct from old.municipality_code) execute function refuse_ended_municipality();
create trigger refuse_ended_on_insert after insert on calendar_links for each row
  when (new.municipality_code is not null) execute function refuse_ended_municipality();
create trigger refuse_ended_on_update after update on calendar_links for each row
  when (new.municipality_code is distinct from old.municipality_code) execute function refuse_ended_municipality();

-- Feedback --------------------------------------------------------------------------------------------------------------
-- Feedback keeps the code of a municipality that has ended. But its people now act for the successor, and know what both
-- have answered. So a step of publication counts the two as one: otherwise it could reveal the answers of a third.

create function has_answers_of_ended(of_event uuid) returns boolean language plpgsql stable as $$
begin
  return exists (
    select from municipalities join feedback_tallies on municipality_code = code
    where ended_on is not null and event_id = of_event and figure = 'answers');
end $$;
comment on function has_answers_of_ended is
  'Whether participants of a municipality that has ended by now have given feedback on the event.';

create function parties(codes text[]) returns int language plpgsql stable as $$
begin
  return (select count(distinct current_municipality(code)) from unnest(codes) as code);
end $$;
comment on function parties is
  'The number of municipalities among these, each counted as the one that it has merged into.';

alter function can_publish_figure rename to can_publish_figure_of_each;
comment on function can_publish_figure_of_each is
  'can_publish_figure() while no municipality among the respondents has ended.';

create function can_publish_figure(of_event uuid, of_figure text) returns boolean language plpgsql stable as $$
begin
  if not has_answers_of_ended(of_event) then
    return can_publish_figure_of_each(of_event, of_figure);
  end if;
  return not exists (
    with equal_states as (
      select municipality_code, since as from_step, null::int as until_step from feedback_tallies
      where event_id = of_event and figure = of_figure and not waits
      union all
      select municipality_code, from_step, until_step
      from feedback_tallies join feedback_tally_states as state using (event_id, figure, municipality_code)
      where event_id = of_event and figure = of_figure and tally_hash = jsonb_hash_extended(tally, 0)),
    turns as (
      select 0 as step
      union
      select from_step from equal_states
      union
      select until_step from equal_states where until_step is not null)
    select from turns where parties(array(
      select municipality_code from feedback_tallies as tally
      where event_id = of_event and figure = of_figure and not exists (
        select from equal_states as state where state.municipality_code = tally.municipality_code
          and turns.step >= from_step and (until_step is null or turns.step < until_step)))) between 1 and 2);
end $$;
comment on function can_publish_figure is
  'Whether the current state of a figure for which at least three municipalities wait may be published: each state that was published before must be equal to it or differ from it in at least three municipalities. Municipalities that have merged count as one.';

create or replace function publish_comments(of_event uuid) returns void language plpgsql as $$
declare
  waiting text[] := array(select code from municipalities where exists (
    select from feedback_comments where event_id = of_event and municipality_code = code and not shown));
begin
  if cardinality(waiting) >= 3 and parties(waiting) >= 3 then
    update feedback_comments set shown = true where feedback_id in (
      select feedback_id from unnest(waiting) as code cross join lateral (
        select feedback_id from feedback_comments
        where event_id = of_event and municipality_code = code and not shown order by place limit 40) as first_of_each);
    update feedback_summaries set version = nextval('versions')
    where event_id = of_event and direction = 'participant_to_tutor';
  end if;
end $$;

create or replace function publish_feedback(of_event uuid) returns void language plpgsql as $$
declare
  enough text[];
  publishable text[];
  uncounted int;
begin
  select array_agg(figure) filter (where number >= 3), coalesce(max(number) filter (where figure = 'answers'), 0)
  into enough, uncounted from (
    select figure, count(*) as number from feedback_tallies where event_id = of_event and waits
    group by figure) as counts;
  if (uncounted >= 3 or enough <> '{}') and has_answers_of_ended(of_event) then
    select array_agg(figure) filter (where number >= 3), coalesce(max(number) filter (where figure = 'answers'), 0)
    into enough, uncounted from (
      select figure, parties(array_agg(municipality_code)) as number from feedback_tallies
      where event_id = of_event and waits group by figure) as counts;
  end if;
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

-- The successor of a host speaks for the host.

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
    and new.municipality_code is distinct from current_municipality(event.host_municipality_code)
    and not exists (select from tutors where id = any (event.tutors) and municipality_code = new.municipality_code)
  then
    raise check_violation using constraint = 'feedback_tutor_of_event',
      message = 'feedback of a tutor is from the host municipality of the event or from the municipality of one of its tutors';
  end if;
  return new;
end $$;

-- Both parts of Uusimaa are inflected, which the roots of single words do not know.
insert into search_synonym (words) values
  ('Uusimaa Nyland Uudenmaan Uuttamaata Uudessamaassa Uudestamaasta Uudellamaalla Uudeltamaalta Uudellemaalle');
