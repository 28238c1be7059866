create table feedback (
  id uuid primary key,
  source text not null,
  external_id text constraint feedback_external_id_length check (char_length(external_id) between 1 and 200),
  event_id uuid not null constraint feedback_event_id_exists references events,
  direction text not null
    constraint feedback_direction check (direction in ('participant_to_tutor', 'tutor_to_participant')),
  municipality_code text not null constraint feedback_municipality_code_exists references municipalities,
  respondent text not null constraint feedback_respondent_length
    check (char_length(respondent) between 1 and 200 and respondent ~ '\S'),
  rating int constraint feedback_rating_range check (rating between 1 and 5),
  useful boolean,
  themes_wanted text[] not null default '{}'
    constraint feedback_themes_wanted_length check (cardinality(themes_wanted) <= 50),
  comment text constraint feedback_comment_length check (char_length(comment) <= 4000 and comment ~ '\S'),
  language text constraint feedback_language_format check (is_language(language)),
  publish_consent boolean not null default false,
  version bigint not null default nextval('versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint feedback_source_external_id_unique unique (source, external_id),
  constraint feedback_one_per_respondent unique (source, respondent, event_id, direction)
);
create index feedback_by_event on feedback (event_id, id);
create index feedback_by_municipality on feedback (municipality_code, id);
create index feedback_by_direction on feedback (direction, id);
create index feedback_by_source on feedback (source, id);
create index feedback_by_respondent on feedback (source, respondent, id);
create index feedback_by_external_id on feedback (external_id, id) where external_id is not null;

create table feedback_themes_wanted (
  theme_slug text constraint feedback_themes_wanted_exist references themes,
  feedback_id uuid references feedback on delete cascade,
  primary key (theme_slug, feedback_id)
);
create index feedback_themes_wanted_by_feedback on feedback_themes_wanted (feedback_id);

create function index_feedback() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    delete from feedback_themes_wanted where feedback_id = new.id;
  end if;
  insert into feedback_themes_wanted select distinct unnest(new.themes_wanted), new.id;
  return null;
end $$;
comment on function index_feedback is
  'Keeps feedback_themes_wanted in step with the array: it gives each theme its foreign key.';

create function guard_feedback() returns trigger language plpgsql as $$
declare
  event record;
begin
  -- The lock lets no change of the event slip in between; feedback does not wait for feedback.
  select status, starts_at, ends_at into event from events where id = new.event_id for share;
  if found and not (event.status in ('published', 'completed') and event.starts_at <= now()) then
    raise check_violation using constraint = 'feedback_event_has_started',
      message = 'feedback is about an event that is published or completed and has started';
  end if;
  if event.ends_at < now() - interval '60 days' then
    raise check_violation using constraint = 'feedback_within_60_days',
      message = 'feedback is taken until 60 days after the event''s end';
  end if;
  return new;
end $$;
comment on function guard_feedback is
  'Feedback is about an event that is published or completed and has started, until 60 days after its end.';

create trigger guard before insert or update on feedback for each row execute function guard_feedback();
create trigger set_version before update on feedback for each row execute function set_version();
create trigger record_change after insert or update or delete on feedback
  for each row execute function record_change('id');
create trigger index_on_insert after insert on feedback for each row
  when (new.themes_wanted <> '{}') execute function index_feedback();
create trigger index_on_update after update of themes_wanted on feedback for each row
  when (new.themes_wanted <> old.themes_wanted) execute function index_feedback();

comment on table feedback is 'What participants and tutors say of an event, in both directions.';
comment on column feedback.id is 'UUIDv7.';
comment on column feedback.source is 'The system that made the row: kuntatutorit for the service itself, else the client''s source.';
comment on column feedback.external_id is 'The row''s key in that system, 1 to 200 characters.';
comment on column feedback.event_id is 'The event that it is about.';
comment on column feedback.direction is 'participant_to_tutor or tutor_to_participant.';
comment on column feedback.municipality_code is 'The giver''s municipality.';
comment on column feedback.respondent is
  'Opaque key of the giver, chosen by the source; an account''s own id when an account gives it. Never shown to others.';
comment on column feedback.rating is '1 (poor) to 5 (excellent).';
comment on column feedback.useful is 'Whether it was of use.';
comment on column feedback.themes_wanted is 'Slugs of themes that the giver wants more about, up to 50.';
comment on column feedback.comment is 'Up to 4,000 characters.';
comment on column feedback.language is 'BCP 47 tag of the comment''s language.';
comment on column feedback.publish_consent is 'Whether the comment may be published, without its origin.';
comment on column feedback.version is 'Drawn from versions at every write.';
comment on column feedback.created_at is 'When the row was made.';
comment on column feedback.updated_at is 'When the row was last written.';
comment on table feedback_themes_wanted is 'feedback.themes_wanted, a row each.';
comment on column feedback_themes_wanted.theme_slug is 'The theme.';
comment on column feedback_themes_wanted.feedback_id is 'The feedback.';
