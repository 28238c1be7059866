drop table sign_in_failures;
drop table client_secrets;
drop table clients;
drop table accounts;
drop function stamp_access_change;
drop function limit_client_secrets;
