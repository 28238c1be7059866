-- Another hash of the same password. It changes no access, so tokens and sessions stay valid. The service sets
-- kuntatutorit.same_password for the update that stores such a hash.

create function is_same_password() returns boolean
language sql stable parallel safe
return coalesce(current_setting('kuntatutorit.same_password', true), '') = 'on';
comment on function is_same_password is
  'Whether the current update of accounts stores another hash of the same password: the setting kuntatutorit.same_password.';

drop trigger stamp_access_change on accounts;
create trigger stamp_access_change before update on accounts for each row
  when ((old.role, old.municipality_code, old.tutor_id, old.disabled)
      is distinct from (new.role, new.municipality_code, new.tutor_id, new.disabled)
    or old.password_hash is distinct from new.password_hash and not is_same_password())
  execute function stamp_access_change();

drop trigger end_sessions_and_invitations on accounts;
create trigger end_sessions_and_invitations after update on accounts for each row
  when (new.disabled and not old.disabled
    or new.password_hash is distinct from old.password_hash and not is_same_password())
  execute function end_sessions_and_invitations();
