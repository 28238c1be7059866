-- The network addresses from which accounts have signed in. Attackers elsewhere cannot use up the guesses and the places
-- that are kept for these addresses.

create table known_addresses (
  account_id uuid constraint known_addresses_account_id_exists references accounts on delete cascade,
  address_hash bytea constraint known_addresses_hash_length check (octet_length(address_hash) = 32),
  last_used_at timestamptz not null default clock_now(),
  primary key (account_id, address_hash)
);
create index known_addresses_by_address on known_addresses (address_hash);
create index known_addresses_by_time on known_addresses (last_used_at);

create function limit_known_addresses() returns trigger language plpgsql as $$
begin
  delete from known_addresses where (account_id, address_hash) in (
    select account_id, address_hash from known_addresses where account_id = new.account_id
    order by last_used_at desc, address_hash offset 20);
  return null;
end $$;
comment on function limit_known_addresses is
  'After an account has signed in from a new address: forgets all but its 20 most recent addresses, so that one account cannot make any number of addresses known.';
create trigger limit_known_addresses after insert on known_addresses
  for each row execute function limit_known_addresses();

create function forget_known_addresses() returns trigger language plpgsql as $$
begin
  delete from known_addresses where account_id = new.id;
  return null;
end $$;
comment on function forget_known_addresses is 'After an account is disabled: forgets the addresses that it signed in from.';
create trigger forget_known_addresses after update of disabled on accounts for each row
  when (new.disabled and not old.disabled) execute function forget_known_addresses();

comment on table known_addresses is
  'The network addresses from which accounts have signed in during the last 90 days, at most 20 for each account.';
comment on column known_addresses.account_id is 'The account.';
comment on column known_addresses.address_hash is
  'Personal data. SHA-256 of the IPv4 address or the IPv6 /64 network. Anybody who can read it can find an IPv4 address by trying all of them.';
comment on column known_addresses.last_used_at is
  'When the account last signed in from the address. Housekeeping deletes the row 90 days later.';
