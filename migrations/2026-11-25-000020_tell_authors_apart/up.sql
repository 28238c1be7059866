-- Rows that several callers write in one statement: kuntatutorit.authors has a line `key actor request_id` for each. It is
-- looked into by position, which costs the same for each row however many there are.

create or replace function record_change() returns trigger language plpgsql as $$
declare
  changed record;
  changed_key text;
  authors text := current_setting('kuntatutorit.authors', true);
  author text[];
begin
  if tg_op = 'DELETE' then changed := old; else changed := new; end if;
  case tg_argv[0]
    when 'id' then changed_key := changed.id;
    when 'code' then changed_key := changed.code;
    when 'slug' then changed_key := changed.slug;
  end case;
  if authors <> '' then
    author := string_to_array(split_part(substr(authors, strpos(authors, changed_key), 300), E'\n', 1), ' ');
  else
    author := array[changed_key, current_setting('kuntatutorit.actor', true), current_setting('kuntatutorit.request_id', true)];
  end if;
  insert into changes (resource, key, operation, version, actor, request_id) values (
    tg_table_name,
    changed_key,
    case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
    changed.version,
    nullif(author[2], ''),
    nullif(author[3], ''));
  return null;
end $$;
