-- Who follows the ledger finds its place in an index, however rare what it follows is.

create index changes_of_resource on changes (resource, xid, seq);

create function ledger_horizon() returns bigint
language sql stable parallel safe
return pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
comment on function ledger_horizon is
  'The oldest transaction that can still commit: of the ledger, only what older ones wrote is told.';
