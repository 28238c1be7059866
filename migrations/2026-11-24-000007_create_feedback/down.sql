drop table feedback_themes_wanted;
drop table feedback;
drop function guard_feedback;
drop function index_feedback;
