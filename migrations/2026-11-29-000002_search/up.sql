-- Search in Finnish, Swedish and English. PostgreSQL's own configurations are not enough: the Finnish stemmer knows no
-- consonant gradation, and `lower` knows only the letters of the database's locale.
--
-- A function whose body is RETURN ... binds the names in it when it is created. The others have their own search_path. So the
-- search_path of a caller never changes the meaning of a name.

create function search_words(t text) returns text
language sql immutable parallel safe
return ' ' || regexp_replace(
    lower((case when t ~ '[\u0300-\u036f]' then normalize(t, nfc) else coalesce(t, '') end) collate "und-x-icu"),
    '[^[:alnum:] ]+', ' ', 'g') || ' ';
comment on function search_words is
  'The words of a text in lower case, with a space before and after each. It uses ICU because the locale of the database may know only ASCII. It removes punctuation because the text search parser takes kunta/kaupunki for a file name and a.b for a host.';

create function search_roots(words text) returns text
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
    rule text[];
begin
    -- Consonant gradation: fold the weak grade into the strong one, and put a lost k back.
    foreach rule slice 1 in array array[
        [' turu', ' turku'], [' internet ', ' interneti '],
        ['nn', 'nt'], ['ng', 'nk'], ['mm', 'mp'], ['ll', 'lt'], ['rr', 'rt'],
        ['kk', 'k'], ['pp', 'p'], ['tt', 't'],
        ['ue', 'uke'], ['oe', 'oke'], ['ae', 'ake'], ['äe', 'äke'], ['eo', 'eko'], ['äö', 'äkö'],
        [' iä', ' ikä'], ['uvu', 'uku'], ['yvy', 'yky'],
        ['inen ', 'is '], ['as ', 'a '], ['äs ', 'ä ']]
    loop
        words := replace(words, rule[1], rule[2]);
    end loop;
    -- Backwards, the ending comes first, and the longest alternative wins. The vowels that change before the plural i
    -- (a, e, i) are removed with it. The vowels o, u and y stay, because kunta and kunto are different words.
    words := reverse(regexp_replace(reverse(words) collate "und-x-icu",
        ' (?:(?:[ntaä]|[aä](?:ss|ts|tl)|etl|isk|n[aeiouyäö]h|no(?=o)|nu(?=u)|ny(?=y)|nö(?=ö)|nees|ne[td](?=i[eouö]|s[iuy])|[aä]t(?=e|i[eouö]|aa|oo|ää))(?=[aeiouyäö]\w\w|s[iuy]))?'
        '(?:i(?![oö])|j(?=[uyeö])|[eaä])*(?=\w\w\w)', ' q', 'g'));
    foreach rule slice 1 in array array[
        ['d', 't'], ['ojq', 'oiq'], ['öjq', 'öiq'], ['ooq', 'oq'], ['uuq', 'uq'], ['ksq', 'sq'], ['ssq', 'sq'],
        ['limq', 'lq'], ['timq', 'tq'], ['uutq', 'uusq'], ['yytq', 'yysq'],
        ['vq', 'pq'], ['voq', 'poq'], ['vuq', 'puq'], ['vyq', 'pyq']]
    loop
        words := replace(words, rule[1], rule[2]);
    end loop;
    return words;
end $$;
comment on function search_roots is
  'Each of search_words() as a root that its Finnish inflections share: digituki and digituen give tigitukq. The q keeps roots apart from words: meri (sea) is not the Swedish mer (more).';

create function search_forms(texts jsonb, plain text, exact "char", derived "char") returns tsvector
language plpgsql immutable parallel safe set search_path from current as $$
declare
  fi text := search_words(texts ->> 'fi');
  sv text := search_words(texts ->> 'sv');
  en text := search_words(texts ->> 'en');
  anything text := search_words(plain);
  others text := '';
begin
  if jsonb_typeof(texts) = 'object' and texts - array['fi', 'sv', 'en'] <> '{}' then
    others := search_words((select string_agg(value, ' ') from jsonb_each_text(texts - array['fi', 'sv', 'en'])));
  end if;
  return setweight(to_tsvector('simple', fi || sv || en || others || anything), exact)
    -- The stock Swedish stemmer does not know the endings of stödet and digitalt.
    || setweight(to_tsvector('simple', search_roots(fi || anything))
        || to_tsvector('swedish', regexp_replace((sv || anything) collate "und-x-icu",
            '(?:(\w\w[^h\s])ets?|(\w\wal)t) ', '\1\2 ', 'g'))
        || to_tsvector('english', en || anything), derived);
end $$;
comment on function search_forms is
  'The words as they are written, with the weight exact, and their stems and roots, with the weight derived. Parts are stemmed in their own language, and plain text in all three. Parts in Sámi languages are searched as they are written.';

create function search_vector(title jsonb, body jsonb, title_plain text default null, body_plain text default null)
returns tsvector
language sql immutable parallel safe
return search_forms(title, title_plain, 'A', 'C') || search_forms(body, body_plain, 'B', 'D');
comment on function search_vector is
  'The value of a generated column for search. Weights: A for a title as written, B for a body as written, C for a title''s stems, D for a body''s stems. search_rank() uses them.';

create table search_synonym (
  words text primary key,
  forms tsvector not null generated always as (search_forms(null, words, 'A', 'A')) stored
);
comment on table search_synonym is
  'Single words that find each other, such as the Finnish and the Swedish name of a town. Only search_query() reads the table, so a change of the table needs no reindexing.';
comment on column search_synonym.words is 'The words, separated by spaces.';
comment on column search_synonym.forms is 'The words and their stems and roots, as in search_vector().';
insert into search_synonym (words) values
    ('Espoo Esbo'), ('Hamina Fredrikshamn'), ('Hanko Hangö'), ('Helsinki Helsingfors'),
    ('Hämeenlinna Tavastehus'), ('Inkoo Ingå'), ('Järvenpää Träskända'), ('Kauniainen Grankulla'),
    ('Kerava Kervo'), ('Kirkkonummi Kyrkslätt'), ('Kokkola Karleby'), ('Lahti Lahtis'),
    ('Lappeenranta Villmanstrand'), ('Lohja Lojo'), ('Loviisa Lovisa'), ('Naantali Nådendal'),
    ('Oulu Uleåborg'), ('Parainen Pargas'), ('Pietarsaari Jakobstad'), ('Pori Björneborg'),
    ('Porvoo Borgå'), ('Raasepori Raseborg'), ('Savonlinna Nyslott'), ('Sipoo Sibbo'),
    ('Siuntio Sjundeå'), ('Tampere Tammerfors'), ('Turku Åbo'), ('Tuusula Tusby'),
    ('Vaasa Vasa'), ('Vantaa Vanda');

create function search_query(q text) returns tsquery
language plpgsql stable parallel safe set search_path from current as $$
begin
  return (
    with word as (
        select n, w, n = max(n) over () and length(w) > 2 as unfinished,
               tsvector_to_array(search_forms(null, w, 'A', 'A')) as forms
        from string_to_table(search_words(left(q, 200)), ' ') with ordinality as t (w, n)
        where to_tsvector('simple', w) <> ''
    ), alternative as (
        select n, quote_literal(form) as term from word, unnest(forms) as form
        union
        select n, quote_literal(w) || ':*' from word where unfinished
        union
        -- Some forms have two possible roots, and both are searched for: salasanojen can come from salasana or
        -- salasano, koulutusta from koulutus or koulutu. (kuntojen cannot come from kunta, whose plural is kuntien.)
        select n, quote_literal(regexp_replace(root, pattern, replacement))
        from word, unnest(forms) as root, (values
            ('([oö])q$', '\1iq'), ('([oö])iq$', '\1q'), ('([aeiyäö][^aeiouyäö]*)[oö]iq$', '\1q'),
            ('([aeiyäö][^aeiouyäö]*)q$', '\1oiq'), ('([aeiyäö][^aeiouyäö]*)q$', '\1öiq'),
            ('([uy])sq$', '\1q'), ('([uy])q$', '\1sq'), ('[ae]?isq$', 'q'), ('([^aeiouyäö])q$', '\1isq')
        ) as rule (pattern, replacement)
        where root ~ pattern
        union
        select n, quote_literal(form)
        from word, unnest(word.forms) as root, search_synonym as s, unnest(tsvector_to_array(s.forms)) as form
        where root like '%q' and s.forms @@ quote_literal(root)::tsquery
    )
    select string_agg(terms, ' & ')::tsquery
    from (select '(' || string_agg(term, ' | ') || ')' as terms from alternative group by n) as every_word
  );
end $$;
comment on function search_query is
  'The query for what a person typed: every word must match, in any form, and the last word also as the beginning of a word. It never fails. It reads the first 200 characters. If they have no letter and no digit the result is null, which matches nothing.';

create function search_rank(document tsvector, query tsquery) returns real
language sql immutable parallel safe
return ts_rank('{0.1,0.5,0.4,1}', document, query);
comment on function search_rank is
  'How well a row matches. Best is a title as written, then a title''s stems, then a body as written, then a body''s stems.';
