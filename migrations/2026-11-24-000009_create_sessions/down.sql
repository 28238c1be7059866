drop trigger touch_client on client_secrets;
drop function touch_client;

create or replace function limit_client_secrets() returns trigger language plpgsql as $$
begin
  perform from clients where id = new.client_id for update;
  if (select count(*) from client_secrets where client_id = new.client_id) >= 2 then
    raise check_violation using constraint = 'client_secrets_at_most_two',
      message = 'a client has two live secrets at most';
  end if;
  return new;
end $$;

alter table client_secrets drop constraint client_secrets_hash_unique, drop constraint client_secrets_pkey,
  drop column id;
alter table client_secrets add primary key (client_id, secret_hash);

alter table accounts drop constraint accounts_tutor_of_municipality;
alter table tutors drop constraint tutors_id_municipality_unique;

drop trigger keep_a_coordinator on accounts;
drop function keep_a_coordinator;
drop trigger end_access on accounts;
drop function end_access;

create or replace function stamp_access_change() returns trigger language plpgsql as $$
begin
  new.access_changed_at := clock_timestamp();
  return new;
end $$;

drop table invitations;
drop table refresh_tokens;
drop table sessions;
