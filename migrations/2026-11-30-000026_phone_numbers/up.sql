-- Phone numbers in one form, as src/domain/contact.rs writes them from now on: E.164 where the number begins with + or 00 and a
-- country, else with single spaces. The constraint allows no other white space.

update tutors set contact = jsonb_set(contact, '{phone}', to_jsonb(
  case when spaced ~ '^(\+|00)' and digits ~ '^[1-9][0-9]{6,14}$' then '+' || digits else spaced end))
from (
  select id as numbered_id, btrim(regexp_replace(contact ->> 'phone', ' +', ' ', 'g')) as spaced,
    regexp_replace(regexp_replace(contact ->> 'phone', '\(0\)', ''), '^ *(\+|00)|[ ()-]', '', 'g') as digits
  from tutors where contact ->> 'phone' is not null) as numbers
where id = numbered_id and contact ->> 'phone' <>
  case when spaced ~ '^(\+|00)' and digits ~ '^[1-9][0-9]{6,14}$' then '+' || digits else spaced end;
