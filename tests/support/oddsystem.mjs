// A health system made of one odd payload per person: signs everybody in, knows
// one Patient, and answers the search for Observations with the oddity.
import { createServer } from 'node:http';

const TYPE = { 'Content-Type': 'application/fhir+json' };

export class OddSystem {
  // oddities: [{ name, release, bytes, where, headers }]; where: 'alone' (the
  // whole answer), 'entry' (one resource of a page), 'patient' (the Patient
  // itself), 'metadata', 'expired' (with a 401).
  static async start(oddities) {
    const s = new OddSystem();
    s.oddities = oddities;
    s.second = new Set(); // oddities whose second page was asked for
    s.refreshed = new Set();
    s.server = createServer((q, a) => s.answer(q, a));
    await new Promise((done) => s.server.listen(0, '127.0.0.1', done));
    s.port = s.server.address().port;
    s.base = `http://127.0.0.1:${s.port}`;
    return s;
  }

  stop() {
    this.server.closeAllConnections?.();
    return new Promise((done) => this.server.close(done));
  }

  // Directory rows: one ordinary system, one for each odd way to say who it is.
  systems() {
    const row = (id, name, endpoints) => ({ id, name, kind: 'health_system', vendor: 'default', endpoints, locations: [], client: { client_id: 'odd', auth: 'public' } });
    const endpoint = (version, path, more = {}) => ({ fhir_version: version, base_url: `${this.base}/${path}`, ...more });
    const known = { authorize_url: `${this.base}/authorize`, token_url: `${this.base}/token` };
    return [
      row(990001, 'Odd system', [endpoint('DSTU2', 'dstu2', known), endpoint('STU3', 'stu3', known), endpoint('R4', 'r4', known)]),
      row(990002, 'Odd SMART configuration', [endpoint('R4', 'smart/r4')]),
      row(990003, 'Odd DSTU2 Conformance', [endpoint('DSTU2', 'conformance/dstu2')]),
      row(990004, 'Odd CapabilityStatement', [endpoint('R4', 'capability/r4', known)]),
    ];
  }

  bytes(n) {
    const { bytes } = this.oddities[n];
    if (!bytes.includes('https://ehr.example')) return bytes;
    return Buffer.from(bytes.toString('latin1').replaceAll('https://ehr.example/fhir', `${this.base}/${this.oddities[n].release}`).replaceAll('https://ehr.example', this.base), 'latin1');
  }

  named(name) {
    return this.bytes(this.oddities.findIndex((o) => o.name.endsWith(name)));
  }

  async answer(q, a) {
    const url = new URL(q.url, this.base);
    const say = (status, body, headers = TYPE) => { a.writeHead(status, headers); a.end(body); };
    const path = url.pathname.replace(/\/+$/, '');
    if (path.endsWith('/token')) return this.token(q, say);
    if (path === '/smart/r4/.well-known/smart-configuration') return say(200, this.named('smart-configuration-odd.json').toString().replace('/oauth2/token/', '/token/'), { 'Content-Type': 'application/json' });
    if (path === '/conformance/dstu2/metadata') return say(200, this.named('dstu2-conformance-oauth.json'));
    if (path === '/capability/r4/metadata') return say(200, this.named('capabilitystatement-version-odd.json'));
    if (path.endsWith('/metadata') || path.includes('.well-known')) return say(404, '{}');
    const token = /^Bearer t-(\d+)(-new)?$/.exec(q.headers.authorization ?? '');
    if (!token) return say(401, '{}');
    const n = Number(token[1]);
    if (/\/Patient\/somebody-else$/.test(path)) return say(403, '{}');
    const asked = /\/Patient\/([^/]+)$/.exec(path);
    if (asked && this.oddities[n].where === 'patient' && asked[1] === 'odd-1') return say(200, this.bytes(n));
    if (asked) return say(200, JSON.stringify({ resourceType: 'Patient', id: decodeURIComponent(asked[1]), language: 'x-plain' }));
    if (/\/Observation$/.test(path)) return this.search(n, Boolean(token[2]), url, say);
    if (/\/(Binary|[A-Z]\w+)\/[^/]+$/.test(path)) return say(404, '{"resourceType":"OperationOutcome","issue":[]}');
    return say(200, '{"resourceType":"Bundle","type":"searchset","total":0}');
  }

  search(n, isNew, url, say) {
    const odd = this.oddities[n];
    if (url.searchParams.get('page') === '2') {
      this.second.add(odd.name);
      return say(200, '{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Observation","id":"second","status":"final","code":{"text":"second"},"subject":{"reference":"Patient/odd-1"}}}]}');
    }
    if (odd.where === 'expired' && !isNew) return say(401, this.bytes(n));
    if (odd.where === 'entry' || odd.where === 'alone') {
      const wrap = odd.where === 'entry';
      return say(200, wrap ? Buffer.concat([Buffer.from('{"resourceType":"Bundle","type":"searchset","entry":[{"resource":'), this.bytes(n), Buffer.from('}]}')]) : this.bytes(n), odd.headers ?? TYPE);
    }
    return say(200, '{"resourceType":"Bundle","type":"searchset","total":0}');
  }

  async token(q, say) {
    let body = '';
    for await (const part of q) body += part;
    const ask = new URLSearchParams(body);
    const isRefresh = ask.get('grant_type') === 'refresh_token';
    const n = Number((isRefresh ? ask.get('refresh_token') : ask.get('code')).split('-')[1]);
    if (isRefresh) this.refreshed.add(this.oddities[n].name);
    say(200, JSON.stringify({
      access_token: `t-${n}${isRefresh ? '-new' : ''}`, token_type: 'Bearer', expires_in: 3600, refresh_token: `r-${n}`,
      patient: 'odd-1', scope: 'patient/*.read offline_access',
    }), { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  }
}

// A person who signs in as number n: the redirects by hand.
export async function connectAs(world, user, systemId, release, n) {
  const ask = new URLSearchParams({ client_id: world.app.client_id, access_token: user.token });
  if (release) ask.set('fhirVersion', release);
  const jar = new Map();
  const cookies = () => [...jar].map(([k, v]) => `${k}=${v}`).join('; ');
  const step = async (url) => {
    const answer = await fetch(url, { redirect: 'manual', headers: { Accept: 'text/html', ...(jar.size ? { Cookie: cookies() } : {}) } });
    for (const set of answer.headers.getSetCookie?.() ?? [answer.headers.get('set-cookie')].filter(Boolean)) {
      const [pair] = set.split(';');
      jar.set(pair.slice(0, pair.indexOf('=')).trim(), pair.slice(pair.indexOf('=') + 1));
    }
    const text = await answer.text();
    return { to: answer.headers.get('location'), status: answer.status, text };
  };
  const out = await step(`${world.base}/connect/system/clinical/${systemId}?${ask}`);
  if (!out.to) throw new Error(`no way out: ${out.status} ${out.text.slice(0, 300)}`);
  const sign = new URL(out.to);
  const back = new URL(sign.searchParams.get('redirect_uri'));
  back.searchParams.set('code', `c-${n}`);
  back.searchParams.set('state', sign.searchParams.get('state'));
  const end = await step(back.href);
  return { sign, end: end.to ? new URL(end.to) : end };
}
