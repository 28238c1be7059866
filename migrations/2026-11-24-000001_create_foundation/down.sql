drop function record_change;
drop table changes;
drop function set_version;
drop function are_languages;
drop function is_language;
drop function is_localized;
drop sequence versions;
