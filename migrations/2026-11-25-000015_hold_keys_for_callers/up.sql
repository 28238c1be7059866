-- Of the keys that one caller has used with different rights, the first one stays: what it made is there.
delete from idempotency_keys later using idempotency_keys earlier
  where split_part(later.caller, ' ', 1) = split_part(earlier.caller, ' ', 1) and later.key = earlier.key
    and (later.created_at, later.caller) > (earlier.created_at, earlier.caller);

-- The default is for instances of the version before, which run on during an upgrade.
alter table idempotency_keys add column reach text not null default ''
  constraint idempotency_keys_reach_length check (char_length(reach) <= 200);
update idempotency_keys set caller = split_part(caller, ' ', 1), reach = caller;

comment on column idempotency_keys.caller is 'Who sent it: account:<id> or client:<id>.';
comment on column idempotency_keys.reach is
  'What decided what the caller might do and see: the answer is for the same only.';
