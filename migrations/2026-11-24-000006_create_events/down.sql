drop table event_audience;
drop table event_languages;
drop table event_themes;
drop table event_tutors;
drop table events;
drop function index_event;
drop function guard_event;
drop function can_follow;
