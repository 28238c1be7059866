"""Reads the calendar of all events with `icalendar`, and compares it with the list of events.

Twice: as it is, and with each zone under a name that no program knows, so that its definition in the calendar is all that
there is to go by.
"""

import os
from datetime import datetime, timedelta, timezone

import httpx
import icalendar

api = httpx.Client(base_url=os.environ["API"], headers={"Authorization": f"Bearer {os.environ['TOKEN']}"})

# Through the nights in which Finland's clocks changed.
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
assert renamed.count("Nowhere/Nobody") > 20 and "Europe/" not in renamed, "the zones have another name"


def times(text: str) -> set[tuple[datetime, datetime]]:
    """When its events begin and end, in UTC."""
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
for told in (times(answer.text), times(renamed)):
    assert told == listed, sorted(told ^ listed)
print(f"icalendar: {len(listed)} events, each at its hours, by the zone's name and by its definition alone")
