-- Filters that find what refers to a resource: events by the municipality of the venue, and accounts by tutor.

create index events_by_venue on events (venue_municipality_code, starts_at, id) where venue_municipality_code is not null;
drop index events_by_venue_municipality;
create index accounts_of_tutor on accounts (tutor_id, id) where tutor_id is not null;
drop index accounts_by_tutor;
create index municipalities_by_successor_code on municipalities (successor_code, code) where successor_code is not null;
drop index municipalities_by_successor;
