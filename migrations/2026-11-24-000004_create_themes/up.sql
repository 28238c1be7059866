create table themes (
  slug text primary key constraint themes_slug_format
    check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length(slug) <= 100),
  kind text not null constraint themes_kind check (kind in ('form', 'theme')),
  name jsonb not null constraint themes_name_localized check (is_localized(name, 200)),
  parent text constraint themes_parent_exists references themes
    constraint themes_parent_not_itself check (parent <> slug),
  version bigint not null default nextval('versions'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  sort_name text collate "fi-x-icu" not null
    generated always as (coalesce(name ->> 'fi', name ->> 'sv', name ->> 'en')) stored
);
create index themes_by_name on themes (sort_name, slug);
create index themes_by_kind on themes (kind, slug);
create index themes_by_parent on themes (parent, slug);

create trigger set_version before update on themes for each row execute function set_version();
create trigger record_change after insert or update or delete on themes
  for each row execute function record_change('slug');

create function reject_theme_cycle() returns trigger language plpgsql as $$
begin
  -- One at a time: two changes that do not see each other could close a cycle together.
  perform pg_advisory_xact_lock('themes'::regclass::oid::bigint);
  if exists (
    with recursive ancestors (slug) as (
      select new.parent
      union
      select themes.parent from themes join ancestors using (slug))
    select from ancestors where slug = new.slug)
  then
    raise check_violation using
      constraint = 'themes_parent_acyclic', message = 'a theme cannot be an ancestor of itself';
  end if;
  return new;
end $$;
comment on function reject_theme_cycle is 'A theme cannot be its own ancestor.';
create trigger reject_cycle before update of parent on themes
  for each row when (new.parent is not null) execute function reject_theme_cycle();

comment on table themes is 'What digital support is about, and the forms it is given in.';
comment on column themes.slug is 'Lower-case letters, digits and single hyphens, up to 100; fixed for good.';
comment on column themes.kind is 'form: a way to give support. theme: what it is about.';
comment on column themes.name is 'Localised text, up to 200 characters.';
comment on column themes.parent is 'The wider theme that this one is part of.';
comment on column themes.version is 'Drawn from versions at every write.';
comment on column themes.created_at is 'When the row was made.';
comment on column themes.updated_at is 'When the row was last written.';
comment on column themes.sort_name is 'What sort=name sorts by: the Finnish name, or the first that there is.';
