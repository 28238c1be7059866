create index changes_in_commit_order on changes (xid, seq);
drop index clients_disabled;
drop index accounts_disabled;
drop index accounts_by_role;
