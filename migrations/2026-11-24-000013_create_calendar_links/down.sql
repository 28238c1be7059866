drop table calendar_links;
drop trigger count_revision on events;
drop function count_revision;
alter table events drop column sequence;
