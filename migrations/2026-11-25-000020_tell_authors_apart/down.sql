create or replace function record_change() returns trigger language plpgsql as $$
declare
  changed record;
  changed_key text;
begin
  if tg_op = 'DELETE' then changed := old; else changed := new; end if;
  case tg_argv[0]
    when 'id' then changed_key := changed.id;
    when 'code' then changed_key := changed.code;
    when 'slug' then changed_key := changed.slug;
  end case;
  insert into changes (resource, key, operation, version, actor, request_id) values (
    tg_table_name,
    changed_key,
    case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
    changed.version,
    nullif(current_setting('kuntatutorit.actor', true), ''),
    nullif(current_setting('kuntatutorit.request_id', true), ''));
  return null;
end $$;
