"""Ten minutes as a partner system: pushes its events, and keeps a copy of the network's in step.

    pip install -r examples/requirements.txt
    export API=http://127.0.0.1:8080 CLIENT_ID=... CLIENT_SECRET=...
    python3 examples/partner_system.py push         # its own events: made and published once, changed when they change
    python3 examples/partner_system.py follow       # a copy in copy.json, for as long as it runs
"""

import argparse
import json
import math
import os
import pathlib
import sys
import time
import uuid

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

API = os.environ.get("API", "http://127.0.0.1:8080")
# The longest pause between two tries, in seconds.
LONGEST_WAIT = 30

# What this system has: its own key, and what the network shall know of it. Times in UTC, as the service tells them, so that
# one can be held against the other.
OWN_EVENTS = {
    "kurssi-1": {
        "title": {"fi": "Älypuhelin tutuksi", "sv": "Lär känna din smarttelefon"},
        "kind": "workshop",
        "modality": "onsite",
        "starts_at": "2027-02-02T08:00:00Z",
        "ends_at": "2027-02-02T10:00:00Z",
        "languages": ["fi", "sv"],
    },
    "kurssi-2": {
        "title": {"fi": "Turvallinen tunnistautuminen"},
        "kind": "webinar",
        "modality": "online",
        "starts_at": "2027-02-09T08:00:00Z",
        "ends_at": "2027-02-09T10:00:00Z",
        "languages": ["fi"],
    },
}


class Problem(Exception):
    """A failure that the service explains (RFC 9457)."""

    def __init__(self, answer):
        # What stands between us and the service may refuse too, in its own way.
        ours = answer.headers.get("Content-Type", "").startswith("application/problem+json")
        problem = answer.json() if ours else {"code": "", "detail": answer.text[:200]}
        super().__init__(f"{answer.status_code} {problem['code']}: {problem['detail']} {problem.get('errors', '')}")
        self.code = problem["code"]


class Kuntatutorit:
    """The network's API, for an unattended system: it waits when told to, and sends again what got no answer."""

    def __init__(self, client_id, client_secret, patience):
        """Who calls, and for how many seconds one thing is tried."""
        self.patience = patience
        # Fetches the next token before the one it has expires; the first one is fetched when it is needed.
        self.session = OAuth2Session(
            client_id,
            client_secret,
            token_endpoint=f"{API}/v1/auth/token",
            grant_type="client_credentials",
            default_timeout=60,
        )

    def request(self, method, path, **options):
        """The answer; a Problem when the service refuses."""
        began, wait, renewed = time.monotonic(), 1, False
        while True:
            try:
                if not self.session.token:
                    self.session.fetch_token()
                answer = self.session.request(method, f"{API}{path}", **options)
            except (requests.RequestException, OAuthError) as failure:
                # The service or the network is away, or falls silent. What a new try cannot mend ends here.
                if getattr(failure, "error", None) == "invalid_client" or time.monotonic() - began > self.patience:
                    raise
                pause = wait
            else:
                if answer.status_code < 400:
                    return answer
                if answer.status_code == 401 and not renewed:
                    # Our rights or the service's keys have changed: a new token, and once more.
                    self.session.token, renewed = None, True
                    continue
                late = time.monotonic() - began > self.patience
                if late or (answer.status_code < 500 and answer.status_code != 429):
                    raise Problem(answer)
                pause = int(answer.headers.get("Retry-After", wait))
            time.sleep(pause)
            wait = min(2 * wait, LONGEST_WAIT)

    def pages(self, path):
        """Every item of a list, page by page."""
        cursor = {}
        while cursor is not None:
            page = self.request("GET", path, params={"limit": 100, **cursor}).json()
            yield from page["items"]
            cursor = {"cursor": page["next"]} if page["next"] else None


def push(api):
    """Brings each of our events to the network as we have it, however often this runs; one that fails stops no other."""
    me = api.request("GET", "/v1/me").json()
    failed = 0
    for external_id, event in OWN_EVENTS.items():
        try:
            print(f"{bring(api, me, external_id, event)} {external_id}")
        except Problem as problem:
            failed += 1
            print(f"{external_id}: {problem}", file=sys.stderr)
    return 1 if failed else 0


def bring(api, me, external_id, event):
    """Makes one event, changes what differs, or leaves it: what it did. An event begins as a draft, and is published then."""
    ours = {"source": me["source"], "external_id": external_id}
    stored = next(iter(api.request("GET", "/v1/events", params=ours).json()["items"]), None)
    done = "changed"
    if stored is None:
        body = {**event, "external_id": external_id, "host_municipality_code": me["municipality_code"]}
        # One key for all tries of this run; a later run finds by its external_id what this one has made.
        key = {"Idempotency-Key": str(uuid.uuid4())}
        stored, done = api.request("POST", "/v1/events", json=body, headers=key).json(), "made"
    wanted = {**event, "status": "published"} if stored["status"] == "draft" else event
    different = {name: value for name, value in wanted.items() if stored[name] != value}
    if not different:
        return "unchanged"
    change(api, f"/v1/events/{stored['id']}", different)
    return done


def change(api, path, fields):
    """Writes these fields; when somebody else was faster, reads again and writes on top of that."""
    for _ in range(5):
        read = api.request("GET", path)
        try:
            return api.request("PATCH", path, json=fields, headers={"If-Match": read.headers["ETag"]})
        except Problem as problem:
            if problem.code != "precondition_failed":
                raise
    raise RuntimeError(f"{path} changes faster than we can write")


class Copy:
    """The network's events, and how far in the ledger they are: stored together, so that they agree."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        stored = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.cursor, self.events = stored.get("cursor"), stored.get("events", {})

    def store(self):
        """Whole or not at all."""
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps({"cursor": self.cursor, "events": self.events}, ensure_ascii=False, indent=1))
        draft.replace(self.path)

    def make(self, api):
        """First the place in the ledger, then the lists: what changes meanwhile comes after that place."""
        self.cursor = api.request("GET", "/v1/changes", params={"resource": "events", "from": "now"}).json()["next"]
        self.events = {event["id"]: event for event in api.pages("/v1/events")}
        self.store()
        print(f"made a copy of {len(self.events)} events")

    def follow(self, api):
        """One step on: waits up to 30 seconds for something to happen."""
        asked = {"resource": "events", "cursor": self.cursor, "wait": 30}
        try:
            told = api.request("GET", "/v1/changes", params=asked).json()
        except Problem as problem:
            if problem.code != "bad_cursor":
                raise
            # The place is lost: the service's database was restored, or our file is another one's.
            print("the place in the ledger is lost: making the copy anew")
            return self.make(api)
        for key in {change["key"] for change in told["items"]}:
            try:
                self.events[key] = api.request("GET", f"/v1/events/{key}").json()
                print(f"took over {key}")
            except Problem as problem:
                if problem.code != "not_found":
                    raise
                # Deleted, or no longer for us.
                self.events.pop(key, None)
                print(f"dropped {key}")
        self.cursor = told["next"]
        self.store()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["push", "follow"])
    parser.add_argument("--copy", default="copy.json", help="the file of the copy")
    parser.add_argument("--steps", type=int, default=-1, help="end after so many steps (default: never)")
    arguments = parser.parse_args()
    # Who follows waits for the service for as long as it takes; a push can be started again.
    patience = math.inf if arguments.what == "follow" else 60
    try:
        api = Kuntatutorit(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"], patience)
    except KeyError as missing:
        sys.exit(f"Set {missing.args[0]}: `kuntatutorit client add` prints it.")
    if arguments.what == "push":
        sys.exit(push(api))
    copy = Copy(arguments.copy)
    if copy.cursor is None:
        copy.make(api)
    while arguments.steps != 0:
        copy.follow(api)
        arguments.steps -= 1


if __name__ == "__main__":
    main()
