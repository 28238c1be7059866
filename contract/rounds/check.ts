// What the rounds with TypeScript clients share.

declare const process: { env: { API: string; TOKEN: string } };
export const api = process.env.API;
export const token = process.env.TOKEN;

export function check(holds: boolean, what: string, error?: unknown): asserts holds {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(error)}`);
}

/** The ETag of a response. */
export function etag(headers: Headers): string {
  const tag = headers.get("ETag");
  check(tag !== null, "a response without ETag");
  return tag;
}

/** Fails unless both objects have the same fields, apart from those that every write changes. */
export function same(what: string, actual: object, expected: object): void {
  const text = (object: object): string =>
    JSON.stringify({ ...object, version: 0, updated_at: "" }, (_, value: unknown) =>
      value !== null && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort())
        : value,
    );
  if (text(actual) !== text(expected)) throw new Error(`${what}:\n${text(actual)}\nis not\n${text(expected)}`);
}
