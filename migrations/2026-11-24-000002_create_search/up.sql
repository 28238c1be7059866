-- SQL-standard bodies (RETURN / BEGIN ATOMIC): their names are bound when the function is
-- created, so no caller's search_path can change what they mean. The one in plpgsql is pinned by SET.

CREATE FUNCTION search_words(t text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ' ' || regexp_replace(
    lower((CASE WHEN t ~ '[\u0300-\u036f]' THEN normalize(t, NFC) ELSE coalesce(t, '') END) COLLATE "und-x-icu"),
    '[^[:alnum:] ]+', ' ', 'g') || ' ';
COMMENT ON FUNCTION search_words(text) IS
'Lower-cased words apart by spaces. ICU, because lower() and [[:alnum:]] of the database locale may know only ASCII; punctuation goes, because the text search parser takes kunta/kaupunki for a file name and a.b for a host.';

CREATE FUNCTION search_roots(words text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule text[];
BEGIN
    -- Consonant gradation: the weak grade is folded into the strong one, or where k is lost it comes back.
    FOREACH rule SLICE 1 IN ARRAY ARRAY[
        [' turu', ' turku'], [' internet ', ' interneti '],
        ['nn', 'nt'], ['ng', 'nk'], ['mm', 'mp'], ['ll', 'lt'], ['rr', 'rt'],
        ['kk', 'k'], ['pp', 'p'], ['tt', 't'],
        ['ue', 'uke'], ['oe', 'oke'], ['ae', 'ake'], ['äe', 'äke'], ['eo', 'eko'], ['äö', 'äkö'],
        [' iä', ' ikä'], ['uvu', 'uku'], ['yvy', 'yky'],
        ['inen ', 'is '], ['as ', 'a '], ['äs ', 'ä ']]
    LOOP
        words := replace(words, rule[1], rule[2]);
    END LOOP;
    -- Backwards an ending stands first, where the longest alternative wins. The vowels that change
    -- before the plural i (a, e, i) go with it; o, u, y stay: kunta is not kunto.
    words := reverse(regexp_replace(reverse(words) COLLATE "und-x-icu",
        ' (?:(?:[ntaä]|[aä](?:ss|ts|tl)|etl|isk|n[aeiouyäö]h|no(?=o)|nu(?=u)|ny(?=y)|nö(?=ö)|nees|ne[td](?=i[eouö]|s[iuy])|[aä]t(?=e|i[eouö]|aa|oo|ää))(?=[aeiouyäö]\w\w|s[iuy]))?'
        '(?:i(?![oö])|j(?=[uyeö])|[eaä])*(?=\w\w\w)', ' q', 'g'));
    FOREACH rule SLICE 1 IN ARRAY ARRAY[
        ['d', 't'], ['ojq', 'oiq'], ['öjq', 'öiq'], ['ooq', 'oq'], ['uuq', 'uq'], ['ksq', 'sq'], ['ssq', 'sq'],
        ['limq', 'lq'], ['timq', 'tq'], ['uutq', 'uusq'], ['yytq', 'yysq'],
        ['vq', 'pq'], ['voq', 'poq'], ['vuq', 'puq'], ['vyq', 'pyq']]
    LOOP
        words := replace(words, rule[1], rule[2]);
    END LOOP;
    RETURN words;
END $$;

COMMENT ON FUNCTION search_roots(text) IS
'Every word of search_words() as a root its Finnish inflections share: digituki, digituen -> tigitukq. The stock Finnish stemmer knows no consonant gradation and gives Vantaan -> van. The q keeps roots apart from words: meri (sea) is not Swedish mer (more).';

CREATE FUNCTION search_forms(texts jsonb, plain text, exact "char", derived "char") RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT setweight(to_tsvector('simple', fi || sv || en || any_), exact)
        -- The stock Swedish stemmer does not know the endings of stödet and digitalt.
        || setweight(to_tsvector('simple', search_roots(fi || any_))
                  || to_tsvector('swedish', regexp_replace((sv || any_) COLLATE "und-x-icu",
                                                           '(?:(\w\w[^h\s])ets?|(\w\wal)t) ', '\1\2 ', 'g'))
                  || to_tsvector('english', en || any_), derived)
    FROM (SELECT search_words(texts ->> 'fi') AS fi, search_words(texts ->> 'sv') AS sv,
                 search_words(texts ->> 'en') AS en, search_words(plain) AS any_ OFFSET 0) AS words;
END;
COMMENT ON FUNCTION search_forms(jsonb, text, "char", "char") IS
'The words as written with the weight exact; their stems and roots, by language (plain text by all), with the weight derived.';

CREATE FUNCTION search_vector(title jsonb, body jsonb, title_plain text DEFAULT NULL, body_plain text DEFAULT NULL)
RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN search_forms(title, title_plain, 'A', 'C') || search_forms(body, body_plain, 'B', 'D');
COMMENT ON FUNCTION search_vector(jsonb, jsonb, text, text) IS
'For a GENERATED ALWAYS AS (...) STORED column. Weights: A title as written, B body as written, C title inflected, D body inflected. search_rank() weighs them.';

CREATE TABLE search_synonym (
    words text PRIMARY KEY,
    forms tsvector NOT NULL GENERATED ALWAYS AS (search_forms(NULL, words, 'A', 'A')) STORED
);
COMMENT ON COLUMN search_synonym.words IS 'The words, with spaces between them.';
COMMENT ON COLUMN search_synonym.forms IS 'Their forms, as search_vector() would have them.';
COMMENT ON TABLE search_synonym IS
'Single words that find each other, such as the two names of a town. Only search_query() reads this: a change needs no reindexing.';
INSERT INTO search_synonym (words) VALUES
    ('Espoo Esbo'), ('Hamina Fredrikshamn'), ('Hanko Hangö'), ('Helsinki Helsingfors'),
    ('Hämeenlinna Tavastehus'), ('Inkoo Ingå'), ('Järvenpää Träskända'), ('Kauniainen Grankulla'),
    ('Kerava Kervo'), ('Kirkkonummi Kyrkslätt'), ('Kokkola Karleby'), ('Lahti Lahtis'),
    ('Lappeenranta Villmanstrand'), ('Lohja Lojo'), ('Loviisa Lovisa'), ('Naantali Nådendal'),
    ('Oulu Uleåborg'), ('Parainen Pargas'), ('Pietarsaari Jakobstad'), ('Pori Björneborg'),
    ('Porvoo Borgå'), ('Raasepori Raseborg'), ('Savonlinna Nyslott'), ('Sipoo Sibbo'),
    ('Siuntio Sjundeå'), ('Tampere Tammerfors'), ('Turku Åbo'), ('Tuusula Tusby'),
    ('Vaasa Vasa'), ('Vantaa Vanda');

CREATE FUNCTION search_query(q text) RETURNS tsquery
LANGUAGE sql STABLE PARALLEL SAFE
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
COMMENT ON FUNCTION search_query(text) IS
'What a person typed, as a query: every word must match, in any form; the last also as the beginning of a word. NULL, which matches nothing, if there is no letter or digit. Never fails; reads 200 characters.';

CREATE FUNCTION search_rank(document tsvector, query tsquery) RETURNS real
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ts_rank('{0.1,0.5,0.4,1}', document, query);
COMMENT ON FUNCTION search_rank(tsvector, tsquery) IS
'How well a row matches: a title as written before a title inflected, before a text as written, before a text inflected.';
