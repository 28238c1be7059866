-- How many bytes each caller has written, so that no caller can fill the disk.

create table written_bytes (
  day date,
  caller text constraint written_bytes_caller_length check (char_length(caller) <= 200),
  bytes bigint not null constraint written_bytes_not_negative check (bytes >= 0),
  primary key (day, caller)
);

comment on table written_bytes is
  'The bytes that each caller has written on a day. Each instance adds what it has counted in steps of up to a mebibyte, so a value can lag behind.';
comment on column written_bytes.day is 'The day in UTC.';
comment on column written_bytes.caller is 'The caller: account:<id> or client:<id>.';
comment on column written_bytes.bytes is
  'The bytes of the bodies of its writes: at least 1 KiB for each, and twice as many when the response was saved for an Idempotency-Key.';
