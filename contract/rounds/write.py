"""Writes programs that use generated clients: each creates, reads, replaces, patches and deletes a row of every collection.

usage: write.py GENERATOR >PROGRAM

The collections, the operations and the bodies come from the API document, so a new collection needs at most a line in
CHANGES. Each program fails when a response does not have its documented type, or when a patch changes a field that it
does not name.
"""

import json
import os
import string
import sys
from pathlib import Path
from typing import Any

# For each collection: what PUT changes in the example of the document, and what PATCH then changes.
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "accounts": ({"municipality_code": "092"}, {"disabled": True}),
    "clients": ({"name": "Vantaan tapahtumakalenteri"}, {"scopes": ["events:read"]}),
    "events": ({"time_zone": "Europe/Stockholm"}, {"capacity": 10}),
    "feedback": ({"comment": "Saimme hyvän mallin."}, {"rating": 4}),
    "municipalities": ({"population": 1000}, {"support_stage": "starting"}),
    "themes": ({"name": {"fi": "Kierros"}}, {"kind": "theme"}),
    "tutors": ({"languages": ["fi", "sv"]}, {"status": "paused"}),
}


def unique(collection: str, generator: str) -> dict[str, Any]:
    """The fields of the example that must differ, because rows of the reference data or of earlier programs have them."""
    return {
        "accounts": {"email": f"{generator}@kunta.example"},
        "clients": {"source": "round-" + generator.replace("_", "-")},
        "feedback": {"event_id": os.environ["ENDED_EVENT"]},
        "municipalities": {"code": "998"},
        "themes": {"slug": "kierros"},
    }.get(collection, {})


def camel(snake: str) -> str:
    return "".join(word.capitalize() for word in snake.replace("-", "_").split("_"))


def name_of(content: dict[str, Any]) -> str:
    """The name of the schema of a request or a response."""
    (media,) = content["content"].values()
    return str(media["schema"]["$ref"]).rsplit("/", 1)[-1]


def rounds(document: dict[str, Any], generator: str) -> list[dict[str, Any]]:
    """What each round needs, for every collection whose rows can be created and read."""
    found = []
    for path, collection in document["paths"].items():
        rows = [other for other in document["paths"] if other.startswith(path + "/{") and other.endswith("}")]
        if "post" not in collection or "get" not in collection or not path.startswith("/v1/") or not rows:
            continue
        row, plural = document["paths"][rows[0]], path.removeprefix("/v1/")
        create = collection["post"]["operationId"]
        singular = create.removeprefix("create_")
        body_name = name_of(collection["post"]["requestBody"])
        body = document["components"]["schemas"][body_name]["example"] | unique(plural, generator)
        replaced, patched = CHANGES.get(plural, ({}, {}))
        found.append({
            "path": path, "row": rows[0], "key": rows[0].rsplit("{", 1)[1].strip("}"), "tag": plural.replace("-", "_"),
            "singular": singular, "Singular": camel(singular), "Plural": camel(plural),
            "create_arguments": ", None" * len(collection["post"].get("parameters", [])),
            "get_arguments": ", None" * sum(one["in"] == "query" for one in row["get"]["parameters"]),
            "query": "{}, " if any(one["in"] == "query" for one in row["get"]["parameters"]) else "",
            "Input": body_name, "Created": name_of(collection["post"]["responses"]["201"]),
            "Written": name_of(row["put"]["responses"]["200"]) if "put" in row else "",
            "Row": name_of(row["get"]["responses"]["200"]), "body": body, "replacement": body | replaced,
            "patch": patched, "operations": set(row),
        })
        assert "patch" not in row or patched, f"{plural}: add what PUT and PATCH change to CHANGES"
    return found


def blocks(template: str) -> dict[str, string.Template]:
    """The parts of a template, each after a line `=== name`."""
    parts = [part.partition("\n") for part in ("\n" + template.rstrip("\n")).split("\n=== ")[1:]]
    return {name: string.Template(text + "\n" if text else "") for name, _, text in parts}


def main() -> None:
    generator = sys.argv[1]
    document = json.loads(Path("openapi/openapi.json").read_text(encoding="utf-8"))
    parts = blocks(Path(f"contract/rounds/{generator}.txt").read_text(encoding="utf-8"))
    program = parts["head"].template
    for one in rounds(document, generator):
        values = one | {name: json.dumps(one[name], ensure_ascii=False) for name in ("body", "replacement", "patch")}
        chosen = ["create"] + [name for name in ("put", "patch", "delete") if name in one["operations"]] + ["end"]
        program += "".join(parts[name].substitute(values) for name in chosen)
    print(program + parts["tail"].template, end="")


main()
