// Ten minutes as a front end: signs in, reads, writes, and understands what goes wrong.
// Node 18 or newer, or any browser of today: it needs nothing but fetch.
//
//   API=http://127.0.0.1:8080 EMAIL=digituki@example.org PASSWORD='uusi pitkä salasana' node examples/front-end.mjs

/** A failure that the service explains (RFC 9457). */
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

  /** The answer: its status, its tag, and its body as an object. `path` may be a whole address, as in `Location`. */
  async request(method, path, { body, ifMatch, ifNoneMatch } = {}) {
    const headers = { authorization: `Bearer ${await this.#token()}` };
    if (ifMatch) headers['if-match'] = ifMatch;
    if (ifNoneMatch) headers['if-none-match'] = ifNoneMatch;
    // A key for each thing that is made: should the answer be lost, sending it again makes no second one.
    if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID();
    return this.#send(method, path, { body, headers });
  }

  /** Every item of a list, page by page. */
  async *all(path) {
    for (let cursor = ''; cursor !== null; ) {
      const join = path.includes('?') ? '&' : '?';
      const { body } = await this.request('GET', cursor ? `${path}${join}cursor=${cursor}` : path);
      yield* body.items;
      cursor = body.next;
    }
  }

  /** A token lives ten minutes: a minute before its end, the refresh token buys the next two. */
  async #token() {
    if (Date.now() > this.#session.goodUntil) {
      // One refresh for all who wait: each refresh token is good once.
      this.#session.renewing ??= this.#renew(this.#session);
      await this.#session.renewing;
    }
    return this.#session.accessToken;
  }

  async #renew(session) {
    try {
      this.#keep(await this.#send('POST', '/v1/auth/refresh', { body: { refresh_token: session.refreshToken } }));
    } finally {
      // Should it fail, the next request tries again.
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
  console.error('Set EMAIL and PASSWORD to those of a municipality account; API to the address of the service.');
  process.exit(2);
}
const api = new Kuntatutorit(API);

await api.signIn(EMAIL, PASSWORD);
const { body: me } = await api.request('GET', '/v1/me');
console.log(`Signed in as ${me.role} of ${me.municipality_code}.`);

// Read: every page of a list, then the events with their hosts sent along.
let people = 0;
for await (const municipality of api.all('/v1/municipalities?limit=10')) people += municipality.population;
console.log(`${people.toLocaleString('en')} people live in the region.`);

const { body: events } = await api.request('GET', '/v1/events?sort=-starts_at&limit=3&include=host');
for (const event of events.items) {
  const host = events.included.municipalities[event.host_municipality_code]?.name.fi ?? 'the network';
  console.log(`${event.starts_at.slice(0, 10)}  ${event.title.fi}  (${host})`);
}

// Read again: what has not changed is not sent.
const path = `/v1/municipalities/${me.municipality_code}`;
const first = await api.request('GET', path);
const again = await api.request('GET', path, { ifNoneMatch: first.etag });
console.log(`Asked again with the tag ${first.etag}: ${again.status}.`);

// Write: a draft, then publish it. The tag says which version is meant, so that nobody's change is overwritten.
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

// What goes wrong is explained: somebody else was faster, or the input breaks rules.
try {
  await api.request('PATCH', draft.location, { ifMatch: draft.etag, body: { capacity: 20 } });
} catch (problem) {
  if (problem.code !== 'precondition_failed') throw problem;
  const fresh = await api.request('GET', draft.location);
  await api.request('PATCH', draft.location, { ifMatch: fresh.etag, body: { capacity: 20 } });
  console.log('It had changed since: read it again, then changed it.');
}
try {
  await api.request('POST', '/v1/events', { body: { ...draft.body, title: {}, ends_at: draft.body.starts_at } });
} catch (problem) {
  for (const { pointer, detail } of problem.errors) console.log(`The form shows at ${pointer}: ${detail}`);
}

const last = await api.request('GET', draft.location);
await api.request('DELETE', draft.location, { ifMatch: last.etag });
await api.signOut();
console.log('Deleted it and signed out.');
