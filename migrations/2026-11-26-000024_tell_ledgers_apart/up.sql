-- The service keeps answers for as long as the ledger says that nothing was written. It must be the same ledger: another
-- cluster counts its transactions anew, and a table that was restored tells of the past.
create function ledger_id() returns text
language sql stable parallel safe
return extract(epoch from pg_postmaster_start_time()) || ' ' || 'changes'::regclass::oid;
comment on function ledger_id is 'Another one once the server was started again, or the ledger was restored.';
