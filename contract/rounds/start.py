"""Signs in as a coordinator with a stored account, and creates an event that feedback can be given on. Prints both for the
shell."""

import datetime
import json
import os
import subprocess
import urllib.request

EMAIL, PASSWORD = "rounds@kunta.example", "a password for the rounds"

subprocess.run(
    [os.environ["SERVICE"], "account", "add", "--role", "coordinator", "--email", EMAIL],
    input=f"{PASSWORD}\n", text=True, check=True, stdout=subprocess.DEVNULL,
)


def post(path: str, body: dict, token: str | None = None) -> dict:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(os.environ["API"] + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


token = post("/v1/auth/login", {"email": EMAIL, "password": PASSWORD})["access_token"]
ended = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
event = post("/v1/events", {
    "title": {"fi": "Kierros"}, "kind": "workshop", "modality": "online", "host_municipality_code": "049",
    "status": "completed", "starts_at": (ended - datetime.timedelta(hours=2)).isoformat(), "ends_at": ended.isoformat(),
}, token)
print(f"TOKEN={token} ENDED_EVENT={event['id']}")
