// A front end: signs in, reads, writes and handles failures.
// Runs in Node.js 18 or newer and in any current browser, without libraries.
//
//   API=http://127.0.0.1:8080 EMAIL=digituki@example.org PASSWORD='uusi pitkä salasana' node examples/front-end.mjs

// Node.js 18 has no global `crypto`.
const crypto = globalThis.crypto ?? (await import('node:crypto')).webcrypto;

/** A failure with the service's explanation (RFC 9457). */
class Problem extends Error {
  constructor(problem) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`);
    Object.assign(this, problem);
  }
}

class Kuntatutorit {
  #session;

  constructor(base) {
    this.base = base;
  }

  async signIn(email, password) {
    this.#keep(await this.#send('POST', '/v1/auth/login', { body: { email, password } }));
  }

  async signOut() {
    await this.#send('POST', '/v1/auth/logout', { body: { refresh_token: this.#session.refreshToken } });
    this.#session = undefined;
  }

  /** Returns the status, the ETag, the Location and the parsed body. `path` may be a full URL, as in `Location`. */
  async request(method, path, { body, ifMatch, ifNoneMatch } = {}) {
    const headers = { authorization: `Bearer ${await this.#token()}` };
    if (ifMatch) headers['if-match'] = ifMatch;
    if (ifNoneMatch) headers['if-none-match'] = ifNoneMatch;
    // With a key of its own, the request can be sent again when its answer is lost, and creates nothing twice.
    if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID();
    return this.#send(method, path, { body, headers });
  }

  /** Yields every item of a list, reading page by page. */
  async *all(path) {
    for (let cursor = ''; cursor !== null; ) {
      const join = path.includes('?') ? '&' : '?';
      const { body } = await this.request('GET', cursor ? `${path}${join}cursor=${cursor}` : path);
      yield* body.items;
      cursor = body.next;
    }
  }

  /** Returns a valid access token. Tokens last ten minutes; this refreshes them a minute before they expire. */
  async #token() {
    if (Date.now() > this.#session.goodUntil) {
      // Concurrent requests share one refresh, because each refresh token can be used once.
      this.#session.renewing ??= this.#renew(this.#session);
      await this.#session.renewing;
    }
    return this.#session.accessToken;
  }

  async #renew(session) {
    try {
      this.#keep(await this.#send('POST', '/v1/auth/refresh', { body: { refresh_token: session.refreshToken } }));
    } finally {
      // If the refresh failed, the next request tries again.
      session.renewing = undefined;
    }
  }

  #keep({ body }) {
    this.#session = {
      accessToken: body.access_token,
      refreshToken: body.refresh_token,
      goodUntil: Date.now() + (body.expires_in - 60) * 1000,
    };
  }

  async #send(method, path, { body, headers = {} }, tries = 3) {
    const response = await fetch(new URL(path, this.base), {
      method,
      headers: body ? { ...headers, 'content-type': 'application/json' } : headers,
      body: body && JSON.stringify(body),
    });
    if (response.status === 503 && tries > 1) {
      await new Promise((resolve) => setTimeout(resolve, 1000 * (response.headers.get('retry-after') ?? 1)));
      return this.#send(method, path, { body, headers }, tries - 1);
    }
    const text = await response.text();
    const parsed = text ? JSON.parse(text) : undefined;
    if (response.status >= 400) throw new Problem(parsed);
    const { status } = response;
    return { status, etag: response.headers.get('etag'), location: response.headers.get('location'), body: parsed };
  }
}

const { API = 'http://127.0.0.1:8080', EMAIL, PASSWORD } = process.env;
if (!EMAIL || !PASSWORD) {
  console.error('Set EMAIL and PASSWORD to those of a municipality account, and API to the address of the service.');
  process.exit(2);
}
const api = new Kuntatutorit(API);

await api.signIn(EMAIL, PASSWORD);
const { body: me } = await api.request('GET', '/v1/me');
console.log(`Signed in as ${me.role} of ${me.municipality_code}.`);

// Read every page of a list, then the latest events with their hosts included.
let people = 0;
for await (const municipality of api.all('/v1/municipalities?limit=10')) people += municipality.population;
console.log(`${people.toLocaleString('en')} people live in the region.`);

const { body: events } = await api.request('GET', '/v1/events?sort=-starts_at&limit=3&include=host');
for (const event of events.items) {
  const host = events.included.municipalities[event.host_municipality_code]?.name.fi ?? 'the network';
  console.log(`${event.starts_at.slice(0, 10)}  ${event.title.fi}  (${host})`);
}

// Read the same resource twice: the second answer is 304 without a body, because nothing has changed.
const path = `/v1/municipalities/${me.municipality_code}`;
const first = await api.request('GET', path);
const again = await api.request('GET', path, { ifNoneMatch: first.etag });
console.log(`Read again with the ETag ${first.etag}: ${again.status}.`);

// Create a draft, then publish it. The ETag says which version the change is based on, so that it overwrites nobody's work.
const draft = await api.request('POST', '/v1/events', {
  body: {
    title: { fi: 'Digituen aamukahvit', sv: 'Morgonkaffe om digitalt stöd' },
    kind: 'webinar',
    modality: 'online',
    host_municipality_code: me.municipality_code,
    starts_at: '2027-03-02T09:00:00+02:00',
    ends_at: '2027-03-02T10:00:00+02:00',
  },
});
const published = await api.request('PATCH', draft.location, { ifMatch: draft.etag, body: { status: 'published' } });
console.log(`Published ${published.body.id}.`);

// Handle failures: somebody else was faster, or the input breaks rules.
try {
  await api.request('PATCH', draft.location, { ifMatch: draft.etag, body: { capacity: 20 } });
} catch (problem) {
  if (problem.code !== 'precondition_failed') throw problem;
  const fresh = await api.request('GET', draft.location);
  await api.request('PATCH', draft.location, { ifMatch: fresh.etag, body: { capacity: 20 } });
  console.log('Somebody else had changed it: read it again, then changed it.');
}
try {
  await api.request('POST', '/v1/events', { body: { ...draft.body, title: {}, ends_at: draft.body.starts_at } });
} catch (problem) {
  for (const { pointer, detail } of problem.errors) console.log(`The form shows at ${pointer}: ${detail}`);
}

const last = await api.request('GET', draft.location);
await api.request('DELETE', draft.location, { ifMatch: last.etag });
await api.signOut();
console.log('Deleted the event and signed out.');
