drop table tutor_languages;
drop table tutor_themes;
drop table tutors;
drop function index_tutor;
