drop function ledger_id;
