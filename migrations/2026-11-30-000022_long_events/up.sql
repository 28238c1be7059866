-- The filter ends_after. A list of the events that end after a given time has the long events that started more than a week
-- before it, from this index, and all others that started later. A query must have the condition literally.

create index events_long on events (ends_at, starts_at, id) where ends_at - starts_at > interval '7 days';
