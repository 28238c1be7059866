create table idempotency_keys (
  caller text constraint idempotency_keys_caller_length check (char_length(caller) <= 200),
  key text constraint idempotency_keys_key_length check (char_length(key) between 1 and 255),
  fingerprint bytea not null constraint idempotency_keys_fingerprint_length check (octet_length(fingerprint) = 32),
  path text not null,
  etag text not null,
  body text not null,
  created_at timestamptz not null default now(),
  primary key (caller, key)
);
create index idempotency_keys_by_time on idempotency_keys (created_at);

comment on table idempotency_keys is
  'What was answered to a POST with an Idempotency-Key, for 24 hours: written in the transaction of the work itself.';
comment on column idempotency_keys.caller is 'Who sent it, with all that decides what it may do and see.';
comment on column idempotency_keys.key is 'The Idempotency-Key: 1 to 255 visible ASCII characters.';
comment on column idempotency_keys.fingerprint is 'SHA-256 of the method, the path and the body.';
comment on column idempotency_keys.path is 'Where the new resource is.';
comment on column idempotency_keys.etag is 'The ETag that was answered.';
comment on column idempotency_keys.body is 'The JSON that was answered, to the byte. It may hold personal data.';
comment on column idempotency_keys.created_at is 'When the work was done.';
