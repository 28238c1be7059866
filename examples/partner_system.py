"""A partner system: pushes its own events, and keeps a copy of the network's events in step.

    pip install -r examples/requirements.txt
    export API=http://127.0.0.1:8080 CLIENT_ID=... CLIENT_SECRET=...
    python3 examples/partner_system.py push         # creates, publishes and updates its own events
    python3 examples/partner_system.py follow       # keeps a copy in copy.json until it is stopped
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
# The longest pause between two attempts, in seconds.
LONGEST_WAIT = 30

# The events of this system, by its own key. Times are in UTC, as the service returns them, so that both can be compared.
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
    """A failure with the service's explanation (RFC 9457)."""

    def __init__(self, answer):
        # A proxy in front of the service may refuse in its own format.
        ours = answer.headers.get("Content-Type", "").startswith("application/problem+json")
        problem = answer.json() if ours else {"code": "", "detail": answer.text[:200]}
        super().__init__(f"{answer.status_code} {problem['code']}: {problem['detail']} {problem.get('errors', '')}")
        self.code = problem["code"]


class Kuntatutorit:
    """A client for an unattended system: waits when the service asks for it, and retries requests without an answer."""

    def __init__(self, client_id, client_secret, patience):
        """`patience` is how many seconds a request is retried."""
        self.patience = patience
        # Fetches a new token before the current one expires. `request` fetches the first one.
        self.session = OAuth2Session(
            client_id,
            client_secret,
            token_endpoint=f"{API}/v1/auth/token",
            grant_type="client_credentials",
            default_timeout=60,
        )

    def request(self, method, path, **options):
        """Returns the answer. Raises Problem when the service refuses the request."""
        began, wait, renewed = time.monotonic(), 1, False
        while True:
            try:
                if not self.session.token:
                    self.session.fetch_token()
                answer = self.session.request(method, f"{API}{path}", **options)
            except (requests.RequestException, OAuthError) as failure:
                # The service or the network is down or silent. A wrong client secret cannot be fixed by a retry.
                if getattr(failure, "error", None) == "invalid_client" or time.monotonic() - began > self.patience:
                    raise
                pause = wait
            else:
                if answer.status_code < 400:
                    return answer
                if answer.status_code == 401 and not renewed:
                    # The client's permissions or the service's keys have changed: retry once with a new token.
                    self.session.token, renewed = None, True
                    continue
                late = time.monotonic() - began > self.patience
                if late or (answer.status_code < 500 and answer.status_code != 429):
                    raise Problem(answer)
                pause = int(answer.headers.get("Retry-After", wait))
            time.sleep(pause)
            wait = min(2 * wait, LONGEST_WAIT)

    def pages(self, path):
        """Yields every item of a list, reading page by page."""
        cursor = {}
        while cursor is not None:
            page = self.request("GET", path, params={"limit": 100, **cursor}).json()
            yield from page["items"]
            cursor = {"cursor": page["next"]} if page["next"] else None


def push(api):
    """Makes the network's events equal to ours. It can run any number of times, and one failure does not stop the rest."""
    me = api.request("GET", "/v1/me").json()
    failed = 0
    for external_id, event in OWN_EVENTS.items():
        try:
            print(f"{push_event(api, me, external_id, event)} {external_id}")
        except Problem as problem:
            failed += 1
            print(f"{external_id}: {problem}", file=sys.stderr)
    return 1 if failed else 0


def push_event(api, me, external_id, event):
    """Creates and publishes an event, or updates the fields that differ. Returns what it did."""
    ours = {"source": me["source"], "external_id": external_id}
    stored = next(iter(api.request("GET", "/v1/events", params=ours).json()["items"]), None)
    done = "changed"
    if stored is None:
        body = {**event, "external_id": external_id, "host_municipality_code": me["municipality_code"]}
        # All retries of this run share one key. A later run finds the event by its external_id.
        key = {"Idempotency-Key": str(uuid.uuid4())}
        stored, done = api.request("POST", "/v1/events", json=body, headers=key).json(), "created"
    wanted = {**event, "status": "published"} if stored["status"] == "draft" else event
    different = {name: value for name, value in wanted.items() if stored[name] != value}
    if not different:
        return "unchanged"
    change(api, f"/v1/events/{stored['id']}", different)
    return done


def change(api, path, fields):
    """Writes these fields. When somebody else was faster, reads the new version and tries again."""
    for _ in range(5):
        read = api.request("GET", path)
        try:
            return api.request("PATCH", path, json=fields, headers={"If-Match": read.headers["ETag"]})
        except Problem as problem:
            if problem.code != "precondition_failed":
                raise
    raise RuntimeError(f"{path} keeps changing; giving up after five attempts")


class Copy:
    """A copy of the network's events with its position in the ledger. Both are in one file, so that they always agree."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        stored = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.cursor, self.events = stored.get("cursor"), stored.get("events", {})

    def store(self):
        """Replaces the file in one step, so that a crash leaves the old copy or the new one."""
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps({"cursor": self.cursor, "events": self.events}, ensure_ascii=False, indent=1))
        draft.replace(self.path)

    def make(self, api):
        """Takes the position in the ledger first, then reads the lists: later changes come after that position."""
        self.cursor = api.request("GET", "/v1/changes", params={"resource": "events", "from": "now"}).json()["next"]
        self.events = {event["id"]: event for event in api.pages("/v1/events")}
        self.store()
        print(f"copied {len(self.events)} events")

    def follow(self, api):
        """Applies the next changes; waits up to 30 seconds for one."""
        query = {"resource": "events", "cursor": self.cursor, "wait": 30}
        try:
            changes = api.request("GET", "/v1/changes", params=query).json()
        except Problem as problem:
            if problem.code != "bad_cursor":
                raise
            # The service's database has lost changes that this copy has seen, or the file belongs to another service.
            print("the position in the ledger is lost; making the copy again")
            return self.make(api)
        for key in {change["key"] for change in changes["items"]}:
            try:
                self.events[key] = api.request("GET", f"/v1/events/{key}").json()
                print(f"updated {key}")
            except Problem as problem:
                if problem.code != "not_found":
                    raise
                # The event was deleted, or this client may no longer see it.
                self.events.pop(key, None)
                print(f"removed {key}")
        self.cursor = changes["next"]
        self.store()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["push", "follow"])
    parser.add_argument("--copy", default="copy.json", help="the file of the copy")
    parser.add_argument("--steps", type=int, default=-1, help="stop after this many steps (default: never)")
    arguments = parser.parse_args()
    # A follower waits for the service for as long as it takes. A push can simply be started again.
    patience = math.inf if arguments.command == "follow" else 60
    try:
        api = Kuntatutorit(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"], patience)
    except KeyError as missing:
        sys.exit(f"{missing.args[0]} is not set. `kuntatutorit client add` prints it.")
    if arguments.command == "push":
        sys.exit(push(api))
    copy = Copy(arguments.copy)
    if copy.cursor is None:
        copy.make(api)
    while arguments.steps != 0:
        copy.follow(api)
        arguments.steps -= 1


if __name__ == "__main__":
    main()
