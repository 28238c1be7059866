create or replace function is_localized(texts jsonb, max_length int) returns boolean
language sql immutable parallel safe
return jsonb_typeof(texts) = 'object'
  and texts <> '{}'
  and texts - array['fi', 'sv', 'en'] = '{}'
  and not jsonb_path_exists(texts, '$.* ? (@.type() != "string")')
  and not jsonb_path_exists(texts, '$.* ? (!(@ like_regex "\\S"))')
  and greatest(char_length(texts ->> 'fi'), char_length(texts ->> 'sv'), char_length(texts ->> 'en')) <= max_length;
