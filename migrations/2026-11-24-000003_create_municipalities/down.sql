drop table municipalities;
