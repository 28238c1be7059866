"""Reads the calendar of all events with `icalendar`, and compares it with the list of events.

It does so twice: with the calendar as it is, and with each time zone renamed to a name that no program knows, so that the
library must use the zone's definition in the calendar.
"""

import os
from datetime import datetime, timedelta, timezone

import httpx
import icalendar

api = httpx.Client(base_url=os.environ["API"], headers={"Authorization": f"Bearer {os.environ['TOKEN']}"})

# Create events around the two nights in 2020 in which Finland's clocks changed.
for change in (datetime(2020, 3, 29, 1, tzinfo=timezone.utc), datetime(2020, 10, 25, 1, tzinfo=timezone.utc)):
    for half_hours in range(-6, 6):
        start = change + half_hours * timedelta(minutes=30)
        event = {
            "title": {"fi": "Digitukea kellojen siirtyessä"},
            "kind": "webinar",
            "modality": "online",
            "status": "published",
            "starts_at": start.isoformat(),
            "ends_at": (start + timedelta(minutes=30)).isoformat(),
        }
        api.post("/v1/events", json=event).raise_for_status()

answer = api.get("/v1/events.ics")
assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/calendar"), answer
renamed = answer.text.replace("Europe/Helsinki", "Nowhere/Nobody")
assert renamed.count("Nowhere/Nobody") > 20 and "Europe/" not in renamed, "the zones were not renamed"


def times(text: str) -> set[tuple[datetime, datetime]]:
    """Returns the start and end of each event, in UTC."""
    calendar = icalendar.Calendar.from_ical(text)
    assert not calendar.errors, calendar.errors
    entries = calendar.walk("VEVENT")
    return {tuple(entry[name].dt.astimezone(timezone.utc) for name in ("DTSTART", "DTEND")) for entry in entries}


events = api.get("/v1/events", params={"limit": 100}).raise_for_status().json()["items"]
listed = {
    (datetime.fromisoformat(event["starts_at"]), datetime.fromisoformat(event["ends_at"]))
    for event in events
    if event["status"] != "draft"
}
assert len(listed) > 24
for found in (times(answer.text), times(renamed)):
    assert found == listed, sorted(found ^ listed)
print(f"icalendar: {len(listed)} events at the right time, by the zone's name and by its definition alone")
