-- Feedback of participants and tutors on events.

create table feedback (
  id uuid primary key,
  source text not null,
  external_id text constraint feedback_external_id_length check (is_external_id(external_id)),
  event_id uuid not null constraint feedback_event_id_exists references events,
  direction text not null
    constraint feedback_direction check (direction in ('participant_to_tutor', 'tutor_to_participant')),
  municipality_code text not null constraint feedback_municipality_code_exists references municipalities,
  respondent text not null constraint feedback_respondent_length check (is_text(respondent, 200)),
  rating int constraint feedback_rating_range check (rating between 1 and 5),
  useful boolean,
  themes_wanted text[] not null default '{}'
    constraint feedback_themes_wanted_length check (cardinality(themes_wanted) <= 50),
  comment text constraint feedback_comment_length check (is_text(comment, 4000)),
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

create function link_feedback() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    delete from feedback_themes_wanted where feedback_id = new.id;
  end if;
  insert into feedback_themes_wanted (theme_slug, feedback_id) select distinct unnest(new.themes_wanted), new.id;
  return null;
end $$;
comment on function link_feedback is
  'After feedback is written: copies the array themes_wanted into feedback_themes_wanted, which has a foreign key to themes.';

create function check_feedback_time() returns trigger language plpgsql as $$
declare
  event record;
begin
  -- The lock keeps the event from changing until this transaction ends. Several answers can hold it at once.
  select status, starts_at, ends_at into event from events where id = new.event_id for share;
  if found and not (event.status in ('published', 'completed') and event.starts_at <= clock_now()) then
    raise check_violation using constraint = 'feedback_event_has_started',
      message = 'feedback is about an event that is published or completed and has started';
  end if;
  if event.ends_at < clock_now() - interval '60 days' then
    raise check_violation using constraint = 'feedback_within_60_days',
      message = 'feedback is accepted until 60 days after the end of the event';
  end if;
  return new;
end $$;
comment on function check_feedback_time is
  'Before feedback is written: the event must be published or completed, must have started, and must have ended at most 60 days ago.';

create trigger check_time before insert or update on feedback for each row execute function check_feedback_time();
create trigger set_version before update on feedback for each row execute function set_version();
create trigger record_change after insert or update or delete on feedback
  for each row execute function record_change('id');
create trigger link_on_insert after insert on feedback for each row
  when (new.themes_wanted <> '{}') execute function link_feedback();
create trigger link_on_update after update of themes_wanted on feedback for each row
  when (new.themes_wanted <> old.themes_wanted) execute function link_feedback();

comment on table feedback is
  'Answers about events, in both directions: of participants about the tutors, and of tutors about the participants.';
comment on column feedback.id is 'UUIDv7.';
comment on column feedback.source is
  'The system that created the row: kuntatutorit for the service itself, or the source of a client.';
comment on column feedback.external_id is 'The key of the row in that system, at most 200 characters, not blank.';
comment on column feedback.event_id is 'The event that the answer is about.';
comment on column feedback.direction is 'participant_to_tutor or tutor_to_participant.';
comment on column feedback.municipality_code is 'The municipality of the respondent.';
comment on column feedback.respondent is
  'Opaque key of the respondent, at most 200 characters. The source chooses it; for an account it is the account''s id. Other callers never see it.';
comment on column feedback.rating is '1 (poor) to 5 (excellent).';
comment on column feedback.useful is 'Whether the event was useful to the respondent.';
comment on column feedback.themes_wanted is
  'Slugs of the themes that the respondent wants to hear more about, at most 50.';
comment on column feedback.comment is 'Plain text, at most 4,000 characters.';
comment on column feedback.language is 'BCP 47 language tag of the comment.';
comment on column feedback.publish_consent is
  'Whether the respondent agrees that the comment is published without its origin.';
comment on column feedback.version is 'A new version is drawn from the sequence versions at every write.';
comment on column feedback.created_at is 'When the row was created.';
comment on column feedback.updated_at is 'When the row was last written.';
comment on table feedback_themes_wanted is 'The items of feedback.themes_wanted, one row each.';
comment on column feedback_themes_wanted.theme_slug is 'The theme.';
comment on column feedback_themes_wanted.feedback_id is 'The feedback.';
