// A whole world for a test: sandbox, server, an app with its keys; and what an
// app and a person do in it.
import { Program, freePort, freshFolder, run, until } from './programs.mjs';
import { join } from 'node:path';

export class World {
  static async start({ patients, sandbox = [], server = [], folder, env } = {}) {
    const w = new World();
    w.folder = folder ?? freshFolder();
    w.data = join(w.folder.path, 'data');
    w.port = await freePort();
    w.sandboxPort = await freePort();
    w.base = `http://127.0.0.1:${w.port}`;
    w.sandboxBase = `http://127.0.0.1:${w.sandboxPort}`;
    w.serverArgs = ['serve', '--data', w.data, '--port', String(w.port),
      '--outbound-allow', `127.0.0.1:${w.sandboxPort}`, '--um-per-hour', '1000000', ...server];
    w.env = env;
    const sandboxArgs = ['--port', String(w.sandboxPort), ...(patients ? ['--patients', patients] : []), ...sandbox];
    w.sandbox = new Program('tributary-sandbox', sandboxArgs, env);
    await w.sandbox.ready(`${w.sandboxBase}/health`);
    w.redirect = 'http://127.0.0.1:9/callback';
    const told = run('tributary-sandbox', ['--port', String(w.sandboxPort), '--print-systems']);
    w.systems = JSON.parse(told).systems;
    run('tributary', ['system', 'import', '-', '--data', w.data], told);
    w.app = JSON.parse(run('tributary', ['app', 'create', 'Test app', '--redirect', w.redirect, '--json', '--data', w.data]));
    await w.startServer();
    return w;
  }

  async startServer() {
    this.server = new Program('tributary', this.serverArgs, this.env);
    await this.server.ready(`${this.base}/ready`);
  }

  async stop() {
    try {
      await this.server.stop();
      await this.sandbox.stop();
    } finally {
      await this.server.kill();
      await this.sandbox.kill();
      this.folder.remove();
    }
  }

  keys() {
    return { client_id: this.app.client_id, client_secret: this.app.client_secret };
  }

  async post(path, fields) {
    const answer = await fetch(this.base + path, { method: 'POST', body: new URLSearchParams(fields) });
    return { status: answer.status, body: await answer.json() };
  }

  // A user of the app, with a token of its own.
  async user(name) {
    const made = await this.post('/user-management/v1/user', { ...this.keys(), app_user_id: name });
    if (!made.body.code) throw new Error(`no user: ${JSON.stringify(made)}`);
    const token = await this.post('/oauth2/token', { ...this.keys(), grant_type: 'authorization_code', code: made.body.code });
    if (!token.body.access_token) throw new Error(`no token: ${JSON.stringify(token)}`);
    return { name, id: made.body.oneup_user_id, token: token.body.access_token, refresh: token.body.refresh_token };
  }

  async get(user, path, headers = {}) {
    const url = path.startsWith('http') ? path : this.base + path;
    const answer = await fetch(url, { headers: { Authorization: `Bearer ${user.token}`, ...headers } });
    const text = await answer.text();
    let body = text;
    try { body = JSON.parse(text); } catch { /* not JSON */ }
    return { status: answer.status, body, text, headers: answer.headers };
  }

  async send(user, method, path, resource, headers = {}) {
    const answer = await fetch(this.base + path, {
      method, headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/fhir+json', ...headers },
      body: resource === undefined ? undefined : JSON.stringify(resource),
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : undefined, text, headers: answer.headers };
  }

  // What a person's browser does at a system: signs in, allows or denies, and
  // ends at the app's redirect_uri, which is returned.
  async connect(user, systemId, login, { allow = true, fhirVersion, state } = {}) {
    const ask = new URLSearchParams({ client_id: this.app.client_id, access_token: user.token });
    if (fhirVersion) ask.set('fhirVersion', fhirVersion);
    if (state) ask.set('state', state);
    return browse(`${this.base}/connect/system/clinical/${systemId}?${ask}`, { login, allow, end: this.redirect });
  }

  async reports(user) {
    const report = await this.get(user, '/connect/api/ingest-report');
    if (report.status !== 200) throw new Error(`no report: ${report.text}`);
    return report.body.entry;
  }

  // Waits until every connection's ingest has ended.
  async ingested(user, seconds = 120) {
    return until('the ingest', async () => {
      const entry = await this.reports(user);
      const ended = entry.length > 0 && entry.every((e) => e.status === 'done' || e.status === 'failed');
      return ended && entry;
    }, seconds);
  }

  // All pages of a search, by following links.
  async all(user, path) {
    const found = [];
    for (let url = path; url;) {
      const page = await this.get(user, url);
      if (page.status !== 200) throw new Error(`${url}: ${page.status} ${page.text.slice(0, 300)}`);
      found.push(...(page.body.entry ?? []).map((e) => e.resource));
      url = page.body.link?.find((l) => l.relation === 'next')?.url;
    }
    return found;
  }
}

const decode = (text) => text.replace(/&amp;/g, '&').replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&#x27;/g, "'").replace(/&lt;/g, '<').replace(/&gt;/g, '>');
const attribute = (tag, name) => {
  const m = new RegExp(`\\s${name}\\s*=\\s*"([^"]*)"`, 'i').exec(tag);
  return m ? decode(m[1]) : undefined;
};

// The form that holds a mark, its fields and where it goes.
function formWith(html, mark, button) {
  for (const [whole, tag, inside] of html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)) {
    if (!whole.includes(mark)) continue;
    const fields = {};
    for (const [input] of inside.matchAll(/<input\b[^>]*>/gi)) {
      const name = attribute(input, 'name');
      const type = attribute(input, 'type') ?? 'text';
      if (name && !(/checkbox|radio/.test(type) && !/\schecked/i.test(input)))
        fields[name] = attribute(input, 'value') ?? '';
    }
    if (button) {
      for (const [pressed] of inside.matchAll(/<button\b[^>]*>/gi))
        if (button(pressed) && attribute(pressed, 'name')) fields[attribute(pressed, 'name')] = attribute(pressed, 'value') ?? '';
    }
    return { action: attribute(` ${tag}`, 'action'), method: (attribute(` ${tag}`, 'method') ?? 'get').toUpperCase(), fields };
  }
  return undefined;
}

// A browser without a window: redirects, cookies and forms.
export async function browse(start, { login, allow = true, end }) {
  const jar = new Map();
  let url = start, method = 'GET', body, signIns = 0;
  for (let step = 0; step < 25; step++) {
    if (end && url.startsWith(end)) return new URL(url);
    const origin = new URL(url).origin;
    const cookies = [...(jar.get(origin) ?? new Map())].map(([k, v]) => `${k}=${v}`).join('; ');
    const answer = await fetch(url, { method, body, redirect: 'manual', headers: { Accept: 'text/html', ...(cookies ? { Cookie: cookies } : {}) } });
    for (const set of answer.headers.getSetCookie?.() ?? [answer.headers.get('set-cookie')].filter(Boolean)) {
      const [pair] = set.split(';');
      const at = pair.indexOf('=');
      if (!jar.has(origin)) jar.set(origin, new Map());
      jar.get(origin).set(pair.slice(0, at).trim(), pair.slice(at + 1));
    }
    const to = answer.headers.get('location');
    if (answer.status >= 300 && answer.status < 400 && to) {
      url = new URL(to, url).href;
      method = 'GET';
      body = undefined;
      await answer.arrayBuffer();
      continue;
    }
    const html = await answer.text();
    const isConsent = html.includes('id="allowButton"');
    const form = isConsent
      ? formWith(html, 'allowButton', (b) => (allow ? b.includes('allowButton') : !b.includes('allowButton')))
        ?? formWith(html, 'deny')
      : formWith(html, 'login_username');
    if (!form) throw new Error(`${answer.status} at ${url}: ${html.slice(0, 600)}`);
    if (!isConsent) {
      if (++signIns > 1) throw new Error(`not signed in as ${login[0]}: ${html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').slice(0, 400)}`);
      [form.fields.login_username, form.fields.login_password] = login;
    } else if (!allow) {
      const deny = formWith(html.replace(/<form\b[^>]*>[\s\S]*?allowButton[\s\S]*?<\/form>/i, (m) => (/deny/i.test(m) ? m : '')), 'eny', (b) => !b.includes('allowButton'));
      Object.assign(form, deny ?? {});
    }
    url = new URL(form.action || url, url).href;
    if (form.method === 'POST') {
      method = 'POST';
      body = new URLSearchParams(form.fields);
    } else {
      method = 'GET';
      body = undefined;
      url = `${url.split('?')[0]}?${new URLSearchParams(form.fields)}`;
    }
  }
  throw new Error(`too many steps, last ${url}`);
}
