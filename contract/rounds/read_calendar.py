"""Reads the calendar of all events with `icalendar`, and compares it with the list of events."""

import os
from datetime import datetime, timezone

import httpx
import icalendar

api = httpx.Client(base_url=os.environ["API"], headers={"Authorization": f"Bearer {os.environ['TOKEN']}"})
answer = api.get("/v1/events.ics")
assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/calendar"), answer
read = {
    (entry["DTSTART"].dt.astimezone(timezone.utc), entry["DTEND"].dt.astimezone(timezone.utc))
    for entry in icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
}
assert not icalendar.Calendar.from_ical(answer.content).errors

events = api.get("/v1/events", params={"limit": 100}).raise_for_status().json()["items"]
listed = {
    (datetime.fromisoformat(event["starts_at"]), datetime.fromisoformat(event["ends_at"]))
    for event in events
    if event["status"] != "draft"
}
assert read == listed and listed, (read ^ listed)
print(f"icalendar: {len(listed)} events, each at its hours")
