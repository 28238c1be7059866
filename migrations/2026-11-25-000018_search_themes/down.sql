alter table themes drop column search;
