// compare.mjs [--patients DIR] [--file NAME]... [--everything] [--verbose]
// The sandbox serves bundles, each file a person; everyone connects; then each
// stored resource is compared with the bundle's: equal but for id, meta,
// references, added narrative and identifier, and every reference that resolved
// before resolves after.  Prints counts per type and a last line.
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join, basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { World } from '../support/world.mjs';
import { shared } from '../support/programs.mjs';

const args = process.argv.slice(2);
const option = (name) => args.flatMap((a, i) => (a === `--${name}` ? [args[i + 1]] : []));
const flag = (name) => args.includes(`--${name}`);
const folder = option('patients')[0] ?? join(shared, 'patients');
const only = option('file');
const VERSIONS = ['dstu2', 'stu3', 'r4'];

if (!existsSync(folder)) {
  console.log(`skipped: no ${folder}`);
  process.exit(0);
}

// JSON whose numbers keep every digit, as strings that begin with '#'.
const parse = (text) => JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g,
  (t) => (t[0] === '"' ? t : `"#${t}"`)));
const readBundle = (path) => parse((path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path)).toString('utf8'));

function files() {
  const found = [];
  for (const version of VERSIONS)
    if (existsSync(join(folder, version)))
      for (const name of readdirSync(join(folder, version)).sort())
        if (/\.json(\.gz)?$/.test(name)) found.push({ version, path: join(folder, version, name), stem: basename(name).replace(/\.json(\.gz)?$/, '') });
  return found;
}

const sorted = (v) => (Array.isArray(v) ? v.map(sorted)
  : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])])) : v);

const ATTACHMENTS = new Set(['attachment', 'content', 'contentAttachment', 'presentedForm', 'photo', 'valueAttachment', 'sourceAttachment', 'image']);

// A resource without what may differ; its references go into refs.
function essence(resource, refs, sourceBase) {
  const clean = (v, key, holder) => {
    if (Array.isArray(v)) return v.map((x) => clean(x, key, holder));
    if (v && typeof v === 'object') {
      const out = {};
      for (const [k, x] of Object.entries(v)) {
        if (k === 'reference' && typeof x === 'string') { refs.push(x); out[k] = 'REF'; }
        else if (k === 'url' && typeof x === 'string' && ATTACHMENTS.has(key)) { refs.push(x); out[k] = 'URL'; }
        else out[k] = clean(x, k, key);
      }
      return out;
    }
    return v;
  };
  const { id, meta, text, identifier, ...rest } = resource;
  const { versionId, lastUpdated, source, ...kept } = meta ?? {};
  const out = clean(rest, '', '');
  if (Object.keys(kept).length) out.meta = clean(kept, 'meta', '');
  if (text && !(text.status === 'generated' && sourceBase)) out.text = text;
  else if (text) out['~text'] = text;
  const isAdded = (i) => sourceBase && i?.use === 'usual' && i.system === sourceBase;
  const own = Array.isArray(identifier) ? identifier.filter((i) => !isAdded(i)) : isAdded(identifier) ? undefined : identifier;
  if (own && (!Array.isArray(own) || own.length)) out.identifier = clean(own, 'identifier', '');
  return out;
}
const key = (e) => { const { '~text': text, ...rest } = e; return JSON.stringify(sorted(rest)); };

function person(version, path, infra) {
  const bundle = readBundle(path);
  const entries = (bundle.entry ?? []).filter((e) => e.resource);
  const byUrl = new Map();
  for (const e of [...infra, ...entries]) {
    if (e.fullUrl) byUrl.set(e.fullUrl, e);
    if (e.resource.id) byUrl.set(`${e.resource.resourceType}/${e.resource.id}`, e);
  }
  const resolve = (ref) => {
    const plain = ref.replace(/\/_history\/.*$/, '');
    if (byUrl.has(plain)) return byUrl.get(plain);
    const tail = /([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]+)$/.exec(plain)?.[1];
    if (tail && byUrl.has(tail)) return byUrl.get(tail);
    const [type, query] = plain.split('?');
    const token = query && new URLSearchParams(query).get('identifier');
    if (!token) return undefined;
    const [system, value] = token.includes('|') ? token.split('|') : [undefined, token];
    return [...infra, ...entries].find((e) => e.resource.resourceType === type &&
      e.resource.identifier?.some((i) => i.value === value && (system === undefined || i.system === system)));
  };
  return { entries, resolve };
}

// What can be reached: all that names a patient of the file, and on from there.
function reachable({ entries, resolve }) {
  const seen = new Set();
  const queue = [];
  const push = (e) => { if (e && !seen.has(e)) { seen.add(e); queue.push(e); } };
  push(entries.find((e) => e.resource.resourceType === 'Patient'));
  for (const e of entries) {
    const refs = [];
    essence(e.resource, refs);
    if (e.resource.resourceType !== 'Patient' && refs.some((r) => resolve(r)?.resource.resourceType === 'Patient')) push(e);
  }
  while (queue.length) {
    const refs = [];
    essence(queue.pop().resource, refs);
    for (const r of refs) push(resolve(r));
  }
  return seen;
}

const wanted = files();
const hasPatient = (f) => (readBundle(f.path).entry ?? []).some((e) => e.resource?.resourceType === 'Patient');
const isShared = new Set(wanted.filter((f) => !hasPatient(f)));
const infra = Object.fromEntries(VERSIONS.map((v) => [v, wanted.filter((f) => f.version === v && isShared.has(f))
  .flatMap((f) => readBundle(f.path).entry ?? []).filter((e) => e.resource)]));
const people = wanted.filter((f) => !isShared.has(f))
  .filter((f) => only.length === 0 || only.some((o) => f.stem.includes(o.replace(/\.json(\.gz)?$/, ''))));

const world = await World.start({ patients: folder, sandbox: ['--generate', '0'], server: ['--access-log', 'off'] });
const systemFor = (version) => {
  const serves = (s) => s.endpoints.some((e) => e.fhir_version.toLowerCase() === version);
  const open = world.systems.filter((s) => serves(s) && s.kind === 'health_system');
  return (open.find((s) => s.vendor === 'default') ?? open.find((s) => s.id === 4707) ?? open[0]);
};

async function readAll(user, version) {
  const patients = await world.all(user, `/${version}/Patient?_count=100`);
  const found = new Map();
  for (const patient of patients)
    for (let url = `${world.base}/${version}/Patient/${patient.id}/$everything?_count=${version === 'r4' ? 1000 : 100}`; url;) {
      const page = await world.get(user, url);
      if (page.status !== 200) throw new Error(`${url}: ${page.text.slice(0, 200)}`);
      const bundle = parse(page.text);
      for (const e of bundle.entry) {
        const id = `${e.resource.resourceType}/${e.resource.id}`;
        if (found.has(id) && patients.length === 1) throw new Error(`${id} twice`);
        found.set(id, e.resource);
      }
      url = bundle.link?.find((l) => l.relation === 'next')?.url;
    }
  return found;
}

async function comparePerson(file) {
  const system = systemFor(file.version);
  if (!system) throw new Error(`no system serves ${file.version}`);
  const source = system.endpoints.find((e) => e.fhir_version.toLowerCase() === file.version).base_url;
  const user = await world.user(`${file.version}-${file.stem}`);
  const back = await world.connect(user, system.id, [file.stem, 'tributary'], { fhirVersion: file.version });
  if (back.searchParams.get('success') !== 'true') throw new Error(`not connected: ${back.search}`);
  const [report] = await world.ingested(user, 300);
  const stored = await readAll(user, file.version);
  const before = person(file.version, file.path, infra[file.version]);
  const within = reachable(before);
  const result = { types: {}, missing: [], extra: 0, unreachable: 0, unresolved: 0, status: report.status };
  const pool = new Map();
  for (const [id, resource] of stored) {
    const refs = [];
    const e = essence(resource, refs, source);
    const k = key(e);
    if (!pool.has(k)) pool.set(k, []);
    pool.get(k).push({ id, refs, text: e['~text'] });
  }
  // A resource whose own text is "generated" is kept under a key without it.
  const matching = (plain) => {
    const { text, ...rest } = plain;
    const found = pool.get(key(plain));
    return !found?.length && text?.status === 'generated' ? pool.get(key(rest)) : found;
  };
  const isThere = (ref) => stored.has(ref.replace(/^https?:\/\/[^/]+\/fhir\/\w+\//, '').replace(/\/_history\/.*$/, ''));
  for (const entry of before.entries) {
    const isReached = within.has(entry);
    const type = entry.resource.resourceType;
    const row = result.types[type] ??= { want: 0, got: 0 };
    const refs = [];
    const plain = essence(entry.resource, refs);
    const match = matching(plain);
    if (!match?.length && !isReached) {
      result.unreachable++; // nothing leads to it from the patient
      continue;
    }
    row.want++;
    if (!match?.length) {
      result.missing.push(`${type}/${entry.resource.id ?? entry.fullUrl}`);
      if (flag('debug')) console.log('WANT', key(plain), '\nHAVE', [...pool].filter(([k, l]) => l.length && l[0].id.startsWith(`${type}/`)).map(([k]) => k).slice(0, 3).join('\n     '));
      continue;
    }
    const one = match.pop();
    row.got++;
    const resolvedBefore = refs.filter((r) => before.resolve(r)).length;
    const resolvedAfter = one.refs.filter(isThere).length;
    if (resolvedAfter < resolvedBefore) result.unresolved += resolvedBefore - resolvedAfter;
  }
  // What several people share (practitioners, questionnaires) stands in files
  // of its own.
  for (const entry of infra[file.version]) matching(essence(entry.resource, []))?.pop();
  result.extra = [...pool.values()].reduce((n, l) => n + l.length, 0);
  return result;
}

let bad = 0;
const totals = {};
const started = Date.now();
for (const file of people) {
  let line;
  try {
    const r = await comparePerson(file);
    const sum = Object.values(r.types).reduce((a, t) => ({ want: a.want + t.want, got: a.got + t.got }), { want: 0, got: 0 });
    const ok = r.status === 'done' && sum.want === sum.got && r.unresolved === 0 && r.extra === 0;
    bad += ok ? 0 : 1;
    for (const [type, t] of Object.entries(r.types)) {
      const all = totals[type] ??= { want: 0, got: 0 };
      all.want += t.want;
      all.got += t.got;
    }
    line = `${ok ? 'ok   ' : 'DIFFERS'} ${file.version}/${file.stem}: ${sum.got} of ${sum.want} equal` +
      (r.extra ? `, ${r.extra} more` : '') + (r.unresolved ? `, ${r.unresolved} references lost` : '') +
      (r.unreachable ? `, ${r.unreachable} not reachable from the patient` : '') +
      (r.missing.length ? `, missing ${r.missing.slice(0, 5).join(' ')}` : '');
    if (flag('verbose')) for (const [type, t] of Object.entries(r.types).sort()) line += `\n        ${type}: ${t.got} of ${t.want}`;
  } catch (error) {
    bad++;
    line = `FAILED ${file.version}/${file.stem}: ${error.message.slice(0, 300)}`;
  }
  console.log(line);
}
console.log('\ntype: equal of bundle');
for (const [type, t] of Object.entries(totals).sort()) console.log(`  ${type}: ${t.got} of ${t.want}`);
try {
  await world.stop();
} catch (error) {
  bad++;
  console.log(error.message);
}
console.log(`\n${people.length} people, ${bad} differ, ${((Date.now() - started) / 1000).toFixed(1)} s`);
process.exit(bad ? 1 : 0);
