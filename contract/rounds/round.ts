// Creates, reads, updates and deletes a tutor with the generated TypeScript client. It compiles under --strict only if the
// document describes what the service does.

import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { env: { API: string; TOKEN: string } };

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

type Schemas = components["schemas"];
type Patch = Extract<keyof Schemas, `${string}Patch`>;
// A patch with required fields could not be written without them, and would change them.
type Demanding = { [Name in Patch]: {} extends Schemas[Name] ? never : Name }[Patch];
const noneDemands: [Demanding] extends [never] ? true : never = true;
const capacity: Schemas["EventPatch"] = { capacity: 10 };
check(noneDemands && JSON.stringify(capacity) === '{"capacity":10}', "a patch must have only what it changes");

const bearer: Middleware = {
  onRequest: ({ request }) => {
    request.headers.set("Authorization", `Bearer ${process.env.TOKEN}`);
  },
};

const api = createClient<paths>({ baseUrl: process.env.API });
api.use(bearer);

const tutor: components["schemas"]["TutorInput"] = {
  name: "Kuntatutor, Espoo",
  municipality_code: "049",
  languages: ["fi", "sv"],
  perspective: { fi: "Digitukea kirjastoissa." },
};

const created = await api.POST("/v1/tutors", {
  params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  body: tutor,
});
check(created.response.status === 201 && created.data !== undefined, `create: ${JSON.stringify(created.error)}`);
const path = { id: created.data.id };

const read = await api.GET("/v1/tutors/{id}", { params: { path } });
check(read.data !== undefined && read.data.name === tutor.name, `read: ${JSON.stringify(read.error)}`);
const etag = read.response.headers.get("ETag");
check(etag !== null, "read: no ETag");

const updated = await api.PATCH("/v1/tutors/{id}", {
  params: { path, header: { "If-Match": etag } },
  body: { status: "paused", perspective: { sv: "Digitalt stöd på bibliotek." } },
  headers: { "Content-Type": "application/merge-patch+json" },
});
check(updated.data?.status === "paused", `update: ${JSON.stringify(updated.error)}`);
check(updated.data.perspective?.fi === tutor.perspective?.fi, "update: a field that was left out has changed");

const stale = await api.DELETE("/v1/tutors/{id}", { params: { path, header: { "If-Match": etag } } });
check(stale.error?.code === "precondition_failed", `a stale ETag: ${JSON.stringify(stale.error)}`);

const deleted = await api.DELETE("/v1/tutors/{id}", {
  params: { path, header: { "If-Match": updated.response.headers.get("ETag") ?? "" } },
});
check(deleted.response.status === 204, `delete: ${JSON.stringify(deleted.error)}`);

const list = await api.GET("/v1/municipalities", { params: { query: { limit: 100, sort: "name" } } });
check(list.data?.items.length === 26, `list: ${JSON.stringify(list.error)}`);

console.log("TypeScript: a tutor created, read, updated, deleted; 26 municipalities");
