"""Creates, reads, updates and deletes a tutor with the generated Python client."""

import os
from typing import Any, TypeVar

from kuntatutorit_client import AuthenticatedClient, models
from kuntatutorit_client.api.municipalities import list_municipalities
from kuntatutorit_client.api.tutors import create_tutor, delete_tutor, get_tutor, patch_tutor
from kuntatutorit_client.models import EventPatch, PageMunicipality, Problem, Tutor, TutorInput, TutorPatch, TutorStatus
from kuntatutorit_client.types import Response

T = TypeVar("T")


def expect(response: Response[Any], status: int, kind: type[T]) -> T:
    assert response.status_code == status, response.content.decode()
    assert isinstance(response.parsed, kind), response.parsed
    return response.parsed


# A patch with defaults would change fields that its author did not name.
for name, kind in vars(models).items():
    if "Patch" in name and hasattr(kind, "to_dict"):
        assert kind().to_dict() == {}, name
assert EventPatch(capacity=10).to_dict() == {"capacity": 10}

client = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["TOKEN"])

new = TutorInput(name="Kuntatutor, Espoo", municipality_code="049", languages=["fi", "sv"])
tutor = expect(create_tutor.sync_detailed(client=client, body=new), 201, Tutor)

read = get_tutor.sync_detailed(tutor.id, client=client)
assert expect(read, 200, Tutor) == tutor
etag = read.headers["ETag"]

change = TutorPatch(status=TutorStatus.PAUSED)
update = patch_tutor.sync_detailed(tutor.id, client=client, body=change, if_match=etag)
updated = expect(update, 200, Tutor)
assert updated.status == TutorStatus.PAUSED and updated.name == tutor.name

stale = expect(delete_tutor.sync_detailed(tutor.id, client=client, if_match=etag), 412, Problem)
assert stale.code == "precondition_failed"
assert delete_tutor.sync_detailed(tutor.id, client=client, if_match=update.headers["ETag"]).status_code == 204
assert expect(get_tutor.sync_detailed(tutor.id, client=client), 404, Problem).code == "not_found"

page = expect(list_municipalities.sync_detailed(client=client, limit=100), 200, PageMunicipality)
assert len(page.items) == 26

print("Python: a tutor created, read, updated, deleted; 26 municipalities")
