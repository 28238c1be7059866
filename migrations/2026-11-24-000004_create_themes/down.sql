drop table themes;
drop function reject_theme_cycle;
