create or replace function search_query(q text) RETURNS tsquery
language sql stable PARALLEL SAFE
BEGIN ATOMIC
    WITH word AS (
        SELECT n, w, n = max(n) OVER () AND length(w) > 2 AS unfinished,
               tsvector_to_array(search_forms(NULL, w, 'A', 'A')) AS forms
        FROM string_to_table(search_words(left(q, 200)), ' ') WITH ORDINALITY AS t (w, n)
        WHERE to_tsvector('simple', w) <> ''
    ), alternative AS (
        SELECT n, quote_literal(form) AS term FROM word, unnest(forms) AS form
        UNION
        SELECT n, quote_literal(w) || ':*' FROM word WHERE unfinished
        UNION
        -- What one form leaves open is asked both ways: salasanojen may be of salasana or salasano,
        -- koulutusta of koulutus or koulutu. (kuntojen is not of kunta: after o or u the plural is kuntien.)
        SELECT n, quote_literal(regexp_replace(root, pattern, replacement))
        FROM word, unnest(forms) AS root, (VALUES
            ('([oö])q$', '\1iq'), ('([oö])iq$', '\1q'), ('([aeiyäö][^aeiouyäö]*)[oö]iq$', '\1q'),
            ('([aeiyäö][^aeiouyäö]*)q$', '\1oiq'), ('([aeiyäö][^aeiouyäö]*)q$', '\1öiq'),
            ('([uy])sq$', '\1q'), ('([uy])q$', '\1sq'), ('[ae]?isq$', 'q'), ('([^aeiouyäö])q$', '\1isq')
        ) AS rule (pattern, replacement)
        WHERE root ~ pattern
        UNION
        SELECT n, quote_literal(form)
        FROM word, unnest(word.forms) AS root, search_synonym AS s, unnest(tsvector_to_array(s.forms)) AS form
        WHERE root LIKE '%q' AND s.forms @@ quote_literal(root)::tsquery
    )
    SELECT string_agg(terms, ' & ')::tsquery
    FROM (SELECT '(' || string_agg(term, ' | ') || ')' AS terms FROM alternative GROUP BY n) AS every_word;
END;
