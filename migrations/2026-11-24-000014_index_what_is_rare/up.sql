-- What is rare among many is found at once: coordinators, and who has been disabled.

create index accounts_by_role on accounts (role, id);
create index accounts_disabled on accounts (id) where disabled;
create index clients_disabled on clients (id) where disabled;

-- PostgreSQL took it for one collection's changes too, and passed by those of the others one by one.
drop index changes_in_commit_order;
