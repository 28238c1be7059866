-- The list of the calendar links that a caller owns, by municipality.

create index calendar_links_by_account_and_municipality on calendar_links (account_id, municipality_code, id)
  where account_id is not null;
create index calendar_links_by_client_and_municipality on calendar_links (client_id, municipality_code, id)
  where client_id is not null;
