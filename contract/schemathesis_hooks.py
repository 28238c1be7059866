"""Hooks for schemathesis: the caller of each role, and the reasons for which a schema-valid request may be refused."""

import json
import os
import subprocess
from functools import cache

import httpx
import schemathesis

API = os.environ["API"]
ROLE = os.environ["ROLE"]
MUNICIPALITY = "049"
PASSWORD = "salasana on pitkä"


def kuntatutorit(*arguments: str, text: str = "") -> str:
    command = [os.environ["SERVICE"], *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.strip()


def printed_token(role: str, *arguments: str) -> str:
    return kuntatutorit("token", "--role", role, *arguments)


@cache
def tutor_account() -> str:
    """Creates a tutor of the municipality with an account. Returns its e-mail address."""
    bearer = {"Authorization": f"Bearer {printed_token('coordinator')}"}
    tutor = {"name": "Kuntatutor, Espoo", "municipality_code": MUNICIPALITY}
    made = httpx.post(f"{API}/v1/tutors", headers=bearer, json=tutor).raise_for_status().json()
    email = "tutor@example.org"
    account = ["--email", email, "--role", "tutor", "--municipality", MUNICIPALITY, "--tutor", made["id"]]
    kuntatutorit("account", "add", *account, text=f"{PASSWORD}\n")
    return email


@cache
def partner_client() -> tuple[str, str]:
    """Creates a client with every scope that a partner system can have. Returns its id and secret."""
    operations = [
        operation
        for path in httpx.get(f"{API}/openapi.json").json()["paths"].values()
        for operation in path.values()
    ]
    needed = [way.get("client_credentials", []) for operation in operations for way in operation["security"]]
    scopes = sorted({scope for scopes in needed for scope in scopes} | {"contacts:read"})
    made = kuntatutorit(
        "client", "add", "--name", "Espoon kalenteri", "--source", "espoo-calendar",
        "--municipality", MUNICIPALITY, "--scopes", " ".join(scopes),
    )  # fmt: skip
    values = dict(line.split("=", 1) for line in made.splitlines())
    return values["client_id"], values["client_secret"]


def token() -> str:
    match ROLE:
        case "coordinator":
            return printed_token("coordinator")
        case "municipality":
            return printed_token("municipality", "--municipality", MUNICIPALITY)
        case "tutor":
            login = {"email": tutor_account(), "password": PASSWORD}
            return httpx.post(f"{API}/v1/auth/login", json=login).raise_for_status().json()["access_token"]
        case "partner":
            form = {"grant_type": "client_credentials"}
            answer = httpx.post(f"{API}/v1/auth/token", data=form, auth=partner_client())
            return answer.raise_for_status().json()["access_token"]
        case _:
            raise ValueError(f"no such role: {ROLE}")


if ROLE != "anonymous":
    # A token is valid for ten minutes.
    @schemathesis.auth(refresh_interval=300)
    class Bearer:
        def get(self, case, context):
            return token()

        def set(self, case, data, context):
            case.headers["Authorization"] = f"Bearer {data}"


# Rules that a schema of one field cannot express: they depend on stored data, on other fields, or on what a name means.
BEYOND_SCHEMAS = {
    "bad_cursor",  # a cursor belongs to one list, its filters and its order
    "blank",  # Unicode and regular expressions differ on which characters are blank
    "fixed",  # the key in the body must be the one in the path
    "idempotency_key_reused",  # a key belongs to one request
    "invalid_time_zone",  # a name of the IANA database
    "invalid_url",  # which hosts the URL standard accepts
    "not_after",  # one time after another
    "nul",  # PostgreSQL's text has no NUL
    "one_of",  # exactly one of two fields
    "out_of_range",  # dates and times from 1900 to 2199
    "required",  # at least one of several
    "unknown_field",  # schemas are open, because an answer can be sent back as a request
    "accounts_role_binding",
    "accounts_tutor_of_municipality",
    "clients_source_format",  # the service's own source is reserved
    "events_completed_after_end",
    "events_registration_closes_after_opening",
    "events_ends_after_start",
    "feedback_event_has_started",
    "feedback_within_60_days",
    "themes_parent_not_itself",
}


def is_beyond_schemas(rule: dict[str, str]) -> bool:
    code = rule["code"]
    # In a body: a value that this caller may not send.
    caller = code == "invalid_value" and "pointer" in rule
    return caller or code in BEYOND_SCHEMAS or code.endswith(("_exist", "_exists"))


# This operation fails as RFC 6749 says, with `{"error": …}`, so there is no code for each broken rule.
OAUTH = {"/v1/auth/token"}


@schemathesis.check
def refused_only_beyond_the_schema(ctx, response, case):
    """A schema-valid request gets 400 or 422 only for a rule that the schema cannot express."""
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if not positive or response.status_code not in (400, 422) or case.path in OAUTH:
        return
    problem = json.loads(response.content)
    rules = problem.get("errors") or [problem]
    unexpected = [rule["code"] for rule in rules if not is_beyond_schemas(rule)]
    assert not unexpected, f"the schema does not express: {', '.join(unexpected)}"
