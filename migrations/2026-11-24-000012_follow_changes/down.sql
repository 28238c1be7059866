drop function ledger_horizon;
drop index changes_of_resource;
