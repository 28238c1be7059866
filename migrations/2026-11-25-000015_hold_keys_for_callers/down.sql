update idempotency_keys set caller = reach where reach <> '';
alter table idempotency_keys drop column reach;
comment on column idempotency_keys.caller is 'Who sent it, with all that decides what it may do and see.';
