drop function first_comments;
