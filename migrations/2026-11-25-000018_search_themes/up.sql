alter table themes add column search tsvector not null generated always as (search_vector(name, null)) stored;
create index themes_search on themes using gin (search);
comment on column themes.search is 'What q searches.';
