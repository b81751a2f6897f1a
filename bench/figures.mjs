// The figures of docs/benchmarks.md.  Server, sandbox and load share this
// machine; every figure is the median of RUNS runs.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { World, browse } from '../tests/support/world.mjs';
import { Program, build, databaseEnv, databaseOf, freePort, freshFolder, shared, until } from '../tests/support/programs.mjs';

const runs = Number(process.env.RUNS ?? 5);
const chosen = process.argv.slice(2);
const rows = [];
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const spread = (list) => `${Math.round(Math.min(...list)).toLocaleString('en')} - ${Math.round(Math.max(...list)).toLocaleString('en')}`;
function row(name, values, unit, aim, note = '') {
  const value = median(values);
  const shown = value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en');
  rows.push({ name, value: shown, unit, range: values.length > 1 ? spread(values) : '', aim, note });
  console.log(`${name}: ${shown} ${unit} (aim ${aim}) ${note}`);
}

// Synthea's patients when they are there, else people of our own generator.
function bundles() {
  const folder = join(shared, 'patients/r4');
  if (existsSync(folder))
    return readdirSync(folder).filter((f) => /^blaze-/.test(f) && !f.includes('infra')).sort()
      .map((f) => JSON.parse(gunzipSync(readFileSync(join(folder, f)))));
  const made = freshFolder();
  spawnSync(join(build, 'tributary-sandbox'), ['--write', made.path]);
  const list = readdirSync(join(made.path, 'r4')).map((f) => JSON.parse(readFileSync(join(made.path, 'r4', f))));
  made.remove();
  return list;
}

// The same resources as a transaction of our own: every entry a POST.
function transaction(bundle) {
  const entry = bundle.entry.map((e) => ({ fullUrl: e.fullUrl, resource: e.resource, request: { method: 'POST', url: e.resource.resourceType } }));
  // Conditional references need the infra bundle; here they stay as text.
  const asText = (key, value) => {
    if (!/^[A-Za-z]+\?/.test(value?.reference ?? '')) return value;
    const { reference, ...rest } = value;
    return { display: reference.split('?')[0], ...rest };
  };
  const text = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }, asText);
  return { text, count: entry.length };
}

async function post(world, user, text) {
  const answer = await fetch(`${world.base}/r4`, { method: 'POST', body: text, headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/fhir+json' } });
  const body = await answer.text();
  if (answer.status !== 200) throw new Error(`${answer.status} ${body.slice(0, 400)}`);
}

async function fill(world, user, size) {
  const all = bundles().map(transaction);
  let n = 0;
  for (let i = 0; n < size; i++) {
    await post(world, user, all[i % all.length].text);
    n += all[i % all.length].count;
  }
  return n;
}

function wrk(url, token, { connections = 64, threads = 2, seconds = 5, script } = {}) {
  const args = ['-t', String(threads), '-c', String(connections), '-d', `${seconds}s`, '--latency', '-H', `Authorization: Bearer ${token}`];
  if (script) args.push('-s', script);
  const out = spawnSync('wrk', [...args, url], { encoding: 'utf8' }).stdout;
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1] ?? 0);
  const p99 = /99%\s+([\d.]+)(us|ms|s)/.exec(out);
  const ms = p99 ? Number(p99[1]) * { us: 0.001, ms: 1, s: 1000 }[p99[2]] : NaN;
  const errors = Number(/Non-2xx or 3xx responses: (\d+)/.exec(out)?.[1] ?? 0);
  if (errors) throw new Error(`wrk: ${errors} errors at ${url}`);
  return { rate, ms };
}

function bytesOf(world) {
  const url = databaseOf(world.data);
  if (!url) return statSync(join(world.data, 'tributary.db')).size;
  const out = spawnSync(join(process.env.PG_BIN, 'psql'), [url, '-Atc', 'SELECT pg_database_size(current_database())'], { encoding: 'utf8' });
  return Number(out.stdout);
}

const quiet = { server: ['--access-log', 'off', '--body-max-mb', '256'] };
const figures = {
  async import() {
    const world = await World.start(quiet);
    const all = bundles().map(transaction).filter((t) => t.count > 100);
    const rates = [], parallel = [];
    for (let r = 0; r < runs; r++) {
      const user = await world.user(`import-${r}`);
      const start = process.hrtime.bigint();
      let n = 0;
      for (const t of all) { await post(world, user, t.text); n += t.count; }
      rates.push(n / (Number(process.hrtime.bigint() - start) / 1e9));
      const others = await Promise.all([0, 1].map((k) => world.user(`import-${r}-${k}`)));
      const again = process.hrtime.bigint();
      await Promise.all(others.map(async (u) => { for (const t of all) await post(world, u, t.text); }));
      parallel.push((2 * n) / (Number(process.hrtime.bigint() - again) / 1e9));
    }
    row('transaction-bundle import, 1 client', rates, 'resources/s', '30,000');
    row('transaction-bundle import, 2 clients', parallel, 'resources/s', '30,000');
    await world.stop();
  },

  async read() {
    const world = await World.start(quiet);
    const user = await world.user('reader');
    await fill(world, user, 1000);
    const { body } = await world.get(user, '/r4/Observation?_count=1');
    const url = `${world.base}/r4/Observation/${body.entry[0].resource.id}`;
    wrk(url, user.token, { seconds: 2 });
    const found = Array.from({ length: runs }, () => wrk(url, user.token));
    const floor = Array.from({ length: 3 }, () => wrk(`${world.base}/health`, user.token, { seconds: 3 }).rate);
    row('read by id, 64 connections', found.map((f) => f.rate), 'req/s', '40,000', `p99 ${median(found.map((f) => f.ms)).toFixed(2)} ms; /health on the same machine ${Math.round(median(floor)).toLocaleString('en')}`);
    await world.stop();
  },

  async search() {
    const world = await World.start(quiet);
    const user = await world.user('searcher');
    await fill(world, user, 3000);
    const url = `${world.base}/r4/Observation?code=http%3A%2F%2Floinc.org%7C8302-2&date=ge2010-01-01&_sort=-date&_count=10`;
    const total = (await world.get(user, url)).body.total;
    wrk(url, user.token, { seconds: 2 });
    const found = Array.from({ length: runs }, () => wrk(url, user.token));
    row('search Observation by code and date, sorted, page of 10', found.map((f) => f.rate), 'req/s', '20,000', `${total} match; p99 ${median(found.map((f) => f.ms)).toFixed(2)} ms`);
    const one = `${world.base}/r4/Observation?code=http%3A%2F%2Floinc.org%7C8302-2&date=ge2010-01-01&_sort=-date&_count=1`;
    row('the same, page of 1', Array.from({ length: runs }, () => wrk(one, user.token).rate), 'req/s', '20,000');
    await world.stop();
  },

  async everything() {
    const world = await World.start(quiet);
    for (const size of [1000, 10000]) {
      const user = await world.user(`everything-${size}`);
      await fill(world, user, size);
      const urls = [];
      let n = 0;
      for (let url = `${world.base}/r4/Patient/$everything?_count=1000`; url;) {
        const page = await world.get(user, url);
        urls.push(url);
        n += page.body.entry.length;
        url = page.body.link.find((l) => l.relation === 'next')?.url;
      }
      // The links found are followed again by one curl, page after page on one
      // connection: Node's own reading of JSON is not what is measured.
      const rates = [];
      const args = urls.flatMap((u) => ['-o', '/dev/null', u]);
      for (let r = 0; r < runs + 1; r++) {
        const out = spawnSync('curl', ['-s', '-w', '%{time_total}\n', '-H', `Authorization: Bearer ${user.token}`, ...args], { encoding: 'utf8' }).stdout;
        const seconds = out.trim().split('\n').reduce((sum, t) => sum + Number(t), 0);
        if (r > 0) rates.push(n / seconds);
      }
      const url = `${world.base}/r4/Patient/$everything?_count=1000`;
      const first = wrk(url, user.token, { connections: 4, seconds: 4 });
      row(`$everything, ${size} resources, by following links with curl`, rates, 'resources/s', '400,000', `one page of 1,000 by wrk: ${Math.round(first.rate * 1000).toLocaleString('en')} resources/s`);
    }
    await world.stop();
  },

  // The largest: a transaction of 27,000 entries, a record of 131,000 resources
  // searched hot and cold (the server new, the record not in memory).
  async large() {
    const world = await World.start(quiet);
    const entries = bundles().flatMap((b) => JSON.parse(transaction(b).text).entry);
    const one = { resourceType: 'Bundle', type: 'transaction', entry: [] };
    for (let i = 0; one.entry.length < 27000; i++) {
      const e = entries[i % entries.length];
      one.entry.push({ ...e, fullUrl: i < entries.length ? e.fullUrl : undefined });
    }
    const text = JSON.stringify(one);
    const took = [];
    for (let r = 0; r < runs; r++) {
      const user = await world.user(`large-${r}`);
      const start = process.hrtime.bigint();
      await post(world, user, text);
      took.push(Number(process.hrtime.bigint() - start) / 1e9);
    }
    row('transaction of 27,000 entries', took, 's', '2', `${Math.round(text.length / 1e6)} MB`);
    const user = await world.user('huge');
    const n = await fill(world, user, 131000);
    const path = '/r4/Observation?code=http%3A%2F%2Floinc.org%7C8302-2&date=ge2010-01-01&_sort=-date&_count=10';
    const ask = (url) => Number(spawnSync('curl', ['-s', '-o', '/dev/null', '-w', '%{time_total}', '-H', `Authorization: Bearer ${user.token}`, url], { encoding: 'utf8' }).stdout) * 1000;
    ask(world.base + path);
    row(`first search page of ${n} resources, hot`, Array.from({ length: 20 }, () => ask(world.base + path)), 'ms', '5');
    const plain = '/r4/Observation?patient=x&_count=10';
    row('the same, by id', Array.from({ length: 20 }, () => ask(`${world.base}/r4/Observation?status=final&_count=10`)), 'ms', '5');
    const cold = [];
    for (let r = 0; r < runs; r++) {
      await world.server.stop();
      await world.startServer();
      ask(`${world.base}/r4/metadata`);
      ask(`${world.base}${plain}`.replace('/r4/', '/stu3/')); // the token, not the record
      cold.push(ask(world.base + path));
    }
    row('the same search, cold', cold, 'ms', '60');
    const urls = [];
    for (let url = `${world.base}/r4/Patient/$everything?_count=1000`; url;) {
      urls.push(url);
      url = (await world.get(user, url)).body.link.find((l) => l.relation === 'next')?.url;
    }
    const whole = [];
    const args = urls.flatMap((u) => ['-o', '/dev/null', u]);
    for (let r = 0; r < runs + 1; r++) {
      const out = spawnSync('curl', ['-s', '-w', '%{time_total}\n', '-H', `Authorization: Bearer ${user.token}`, ...args], { encoding: 'utf8' }).stdout;
      if (r > 0) whole.push(out.trim().split('\n').reduce((sum, t) => sum + Number(t), 0));
    }
    row(`$everything of ${n} resources, whole`, whole, 's', '1');
    await world.stop();
  },

  async connect() {
    const ratios = [], rates = [], again = [];
    const patients = join(shared, 'patients');
    const large = existsSync(patients) ? readdirSync(join(patients, 'r4')).find((f) => f.startsWith('blaze-large-4b86befa'))?.replace(/\.json\.gz$/, '') : undefined;
    const login = large ? [large, 'tributary'] : ['wilmasmart', 'Cerner01'];
    const world = await World.start({ ...quiet, patients: large ? patients : undefined });
    const system = world.systems.find((v) => v.id === 4707);
    let pages;
    for (let r = 0; r < runs + 1; r++) {
      const user = await world.user(`connect-${r}`);
      await world.connect(user, 4707, login, { fhirVersion: 'r4' });
      const [report] = await world.ingested(user, 300);
      const took = (Date.parse(report.ended_at) - Date.parse(report.started_at)) / 1000;
      const got = report.types.reduce((n, t) => n + t.got, 0);
      pages ??= await pagesOf(world, system, login, report);
      const plain = plainCurl(pages);
      const next = await refreshed(world, user, report);
      if (r > 0) { ratios.push(took / plain); rates.push(got / took); again.push(next / took); }
    }
    row('connect to complete, against plain parallel curl of the same pages', ratios, 'x', '1.25', `${pages.urls.length} pages; ${Math.round(median(rates)).toLocaleString('en')} resources/s`);
    row('refresh of that record, unchanged, against the first time', again, 'x', '0.1', 'nothing written');
    await world.stop();
  },

  async size() {
    const world = await World.start(quiet);
    const user = await world.user('size');
    const n = await fill(world, user, 20000);
    await world.server.stop();
    const bytes = bytesOf(world);
    row('database bytes per resource', [bytes / n], 'B', '600', `${n} resources, all tables and indexes`);
    await world.sandbox.stop();
    world.folder.remove();
  },

  async start() {
    const times = [], sizes = [];
    for (let r = 0; r < runs; r++) {
      const folder = freshFolder();
      const port = await freePort();
      const args = ['serve', '--data', folder.path, '--port', String(port)];
      const first = new Program('tributary', args);
      await first.ready(`http://127.0.0.1:${port}/ready`);
      await first.stop();
      const start = process.hrtime.bigint();
      const child = spawn(join(build, 'tributary'), args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...databaseEnv('tributary', args) } });
      await new Promise((done) => child.stderr.on('data', (d) => { if (String(d).includes('serve.ready')) done(); }));
      times.push(Number(process.hrtime.bigint() - start) / 1e6);
      const status = () => readFileSync(`/proc/${child.pid}/status`, 'utf8');
      sizes.push(Number(/VmRSS:\s+(\d+)/.exec(status())[1]) / 1024);
      child.kill('SIGTERM');
      await new Promise((done) => child.on('exit', done));
      folder.remove();
    }
    row('start-up, spawn to listening', times, 'ms', '15');
    row('resident memory, idle', sizes, 'MB', '15');
  },
};

// Seconds of the next ingest; it must find nothing to write.
async function refreshed(world, user, before) {
  await world.post('/connect/api/on-demand-ingest', { ...world.keys(), oneup_user_id: user.id });
  const report = await until('the refresh', async () => {
    const [one] = await world.reports(user);
    return one.started_at !== before.started_at && one.status === 'done' && one;
  });
  const written = report.types.reduce((n, t) => n + t.written, 0);
  if (written > 0) throw new Error(`an unchanged record was written: ${written}`);
  return (Date.parse(report.ended_at) - Date.parse(report.started_at)) / 1000;
}

// The pages that an ingest asks for, found as an app of the sandbox's own: the
// types of its report by patient, with their next pages, and what they refer to.
async function pagesOf(world, system, login, report) {
  const base = system.endpoints.find((e) => e.fhir_version === 'R4').base_url;
  const config = await (await fetch(`${base}/.well-known/smart-configuration`)).json().catch(() => undefined)
    ?? Object.fromEntries((await (await fetch(`${base}/metadata`)).json()).rest[0].security.extension[0].extension.map((e) => [`${e.url === 'authorize' ? 'authorization' : e.url}_endpoint`, e.valueUri]));
  const verifier = 'v'.repeat(43);
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const redirect = 'http://127.0.0.1:9/bench';
  const ask = new URLSearchParams({ response_type: 'code', client_id: system.client.client_id, redirect_uri: redirect, scope: (config.scopes_supported ?? ['launch/patient', 'openid', 'fhirUser', 'offline_access', ...report.types.filter((t) => t.got > 0).map((t) => `patient/${t.type}.read`)]).filter((v) => !v.includes('*')).join(' '), state: 's', aud: base, code_challenge: challenge, code_challenge_method: 'S256' });
  const back = await browse(`${config.authorization_endpoint}?${ask}`, { login, end: redirect });
  const basic = Buffer.from(`${system.client.client_id}:${system.client.client_secret}`).toString('base64');
  const grant = await (await fetch(config.token_endpoint, { method: 'POST', headers: { Authorization: `Basic ${basic}` }, body: new URLSearchParams({ grant_type: 'authorization_code', code: back.searchParams.get('code') ?? '', redirect_uri: redirect, code_verifier: verifier }) })).json();
  if (!grant.access_token) throw new Error(`no token of the sandbox: ${JSON.stringify(grant)} ${back.search}`);
  const claims = grant.id_token ? JSON.parse(Buffer.from(grant.id_token.split('.')[1], 'base64url')) : {};
  const patient = grant.patient ?? claims.fhirUser?.split('/').pop();
  const token = `Bearer ${grant.access_token}`;
  const urls = [], wanted = new Set(), held = new Set();
  const read = async (url) => {
    const answer = await fetch(url, { headers: { Authorization: token, Accept: 'application/fhir+json' } });
    const text = await answer.text();
    if (!answer.ok) {
      if (process.env.DEBUG) console.log(answer.status, url, text.slice(0, 200));
      return undefined;
    }
    urls.push(url);
    for (const [, ref] of text.matchAll(/"(?:reference|url)":"([A-Z][A-Za-z]+\/[A-Za-z0-9.-]+)"/g)) wanted.add(ref);
    return JSON.parse(text);
  };
  for (const type of report.types.filter((t) => t.asked > 0).map((t) => t.type)) {
    for (let url = type === 'Patient' ? `${base}/Patient/${patient}` : `${base}/${type}?patient=${patient}&_count=100`; url;) {
      const page = await read(url);
      for (const e of page?.entry ?? []) held.add(`${e.resource.resourceType}/${e.resource.id}`);
      url = page?.link?.find((l) => l.relation === 'next')?.url;
    }
  }
  for (const ref of wanted) if (!held.has(ref) && !ref.startsWith('Patient/')) await read(`${base}/${ref}`);
  return { urls, token };
}

// The same pages by curl, eight at once, connections kept.
function plainCurl({ urls, token }) {
  const folder = freshFolder();
  writeFileSync(join(folder.path, 'urls'), urls.map((u, i) => `url = "${u}"\noutput = "${folder.path}/${i}"`).join('\n'));
  const start = process.hrtime.bigint();
  spawnSync('curl', ['-s', '-Z', '--parallel-max', '8', '-H', `Authorization: ${token}`, '-K', join(folder.path, 'urls')]);
  const took = Number(process.hrtime.bigint() - start) / 1e9;
  folder.remove();
  return took;
}

for (const [name, figure] of Object.entries(figures)) {
  if (chosen.length && !chosen.includes(name)) continue;
  try {
    await figure();
  } catch (error) {
    console.log(`${name}: failed: ${error.message}`);
    process.exitCode = 1;
  }
}
console.log(`\n${cpus().length} cores, ${cpus()[0].model}; median of ${runs} runs; server and load share the cores\n`);
console.log('| figure | median | range | aim | note |\n| --- | ---: | --- | ---: | --- |');
for (const r of rows) console.log(`| ${r.name} | ${r.value} ${r.unit} | ${r.range} | ${r.aim} | ${r.note} |`);
if (process.env.FIGURES_JSON) writeFileSync(process.env.FIGURES_JSON, JSON.stringify(rows));
