DROP FUNCTION search_rank(tsvector, tsquery);
DROP FUNCTION search_query(text);
DROP TABLE search_synonym;
DROP FUNCTION search_vector(jsonb, jsonb, text, text);
DROP FUNCTION search_forms(jsonb, text, "char", "char");
DROP FUNCTION search_roots(text);
DROP FUNCTION search_words(text);
