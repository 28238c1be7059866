-- Responses to requests with an Idempotency-Key, so that a client can safely send a POST again.

create table idempotency_keys (
  caller text constraint idempotency_keys_caller_length check (char_length(caller) <= 200),
  key text constraint idempotency_keys_key_length check (char_length(key) between 1 and 255),
  reach text not null default '' constraint idempotency_keys_reach_length check (char_length(reach) <= 200),
  fingerprint bytea not null constraint idempotency_keys_fingerprint_length check (octet_length(fingerprint) = 32),
  path text not null,
  etag text not null,
  body text not null,
  created_at timestamptz not null default clock_now(),
  primary key (caller, key)
);
create index idempotency_keys_by_time on idempotency_keys (created_at);

comment on table idempotency_keys is
  'The responses to POST requests with an Idempotency-Key, stored for 24 hours. A row is written in the transaction that creates the resource.';
comment on column idempotency_keys.caller is 'The caller that sent the request: account:<id> or client:<id>.';
comment on column idempotency_keys.key is 'The Idempotency-Key: 1 to 255 visible ASCII characters.';
comment on column idempotency_keys.reach is
  'The rights of the caller. The response is replayed only to a request with the same rights.';
comment on column idempotency_keys.fingerprint is 'SHA-256 of the method, the path and the body of the request.';
comment on column idempotency_keys.path is 'The path of the new resource.';
comment on column idempotency_keys.etag is 'The ETag of the response.';
comment on column idempotency_keys.body is
  'The JSON of the response, byte for byte. It can have personal data.';
comment on column idempotency_keys.created_at is
  'When the request was answered. The rule of expiry counts from this time, so it uses clock_now().';
