// Random searches, answered by the server and by a naive evaluator that shares
// no code with it: SEED=1 QUERIES=100000 RELEASE=r4 node tests/oracle/oracle.mjs;
// EVERY=1 asks for every value of every parameter instead, ALL=1 puts all of
// ../shared/data's patients of a release into the record (docs/fhir.md).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { World } from '../support/world.mjs';
import { shared } from '../support/programs.mjs';
import { Asker } from './asker.mjs';
import { Record } from './algebra.mjs';
import { Chance } from './random.mjs';
import { fill, resources } from './record.mjs';
import { parameters } from './values.mjs';

const releases = (process.env.RELEASE ?? 'r4,stu3,dstu2').split(',');
const wanted = Number(process.env.QUERIES ?? 3000);
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const differencesMax = 25;

const members = (release) => new Map(JSON.parse(readFileSync(join(shared, 'fhir', release, 'compartment-patient.json'))).resource.map((r) => [r.code, r.param ?? []]));

const fields = (q) => [...q.clauses.map((c) => [c.name, c.shown]), ...q.includes.map((i) => { const at = i.text.indexOf('='); return [i.text.slice(0, at), i.text.slice(at + 1)]; }), ...(q.sorts.length ? [['_sort', q.sorts.map((k) => (k.down ? '-' : '') + k.param.code).join()]] : []), ['_count', String(q.count)]];
const path = (release, q) => `/${release}/${q.patient ? `Patient/${q.patient}/` : ''}${q.type}`;
const show = (release, q) => `${path(release, q)}?${fields(q).map(([k, v]) => `${k}=${v}`).join('&')}`;

async function first(world, user, release, q) {
  const form = fields(q).map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join('&');
  const strict = { Prefer: 'handling=strict' };
  if (!q.post) return world.get(user, `${path(release, q)}?${form}`, strict);
  const answer = await fetch(`${world.base}${path(release, q)}/_search`, { method: 'POST', body: form, headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/x-www-form-urlencoded', ...strict } });
  const text = await answer.text();
  return { status: answer.status, text, body: JSON.parse(text) };
}

async function ask(world, user, release, q) {
  const ids = [], included = new Set();
  let answer = await first(world, user, release, q), total;
  for (;;) {
    if (answer.status !== 200) return { error: `${answer.status} ${answer.text.slice(0, 300)}` };
    total ??= answer.body.total;
    for (const { resource, search } of answer.body.entry ?? [])
      if (search?.mode === 'include') included.add(`${resource.resourceType}/${resource.id}`);
      else ids.push(resource.id);
    const next = answer.body.link?.find((l) => l.relation === 'next')?.url;
    if (!next) break;
    answer = await world.get(user, next);
  }
  for (const id of ids) included.delete(`${q.type}/${id}`);
  return { ids, total, included: [...included].sort() };
}

const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

async function differs(world, user, record, q) {
  let expected;
  try {
    expected = record.answer(q);
  } catch (e) {
    if (e.message === 'a rounding') return { expected: { ids: [], included: [] } }; // a bound met to the last bit: not asked
    throw e;
  }
  const got = await ask(world, user, record.release, q);
  if (!got.error && got.total === expected.ids.length && same(got.ids, expected.ids) && same(got.included, expected.included)) return { expected };
  return { expected, got };
}

// The fewest clauses, includes and sorts that still differ.
async function shrink(world, user, record, q) {
  const still = async (less) => (await differs(world, user, record, less)).got !== undefined;
  for (const key of ['clauses', 'includes', 'sorts'])
    for (let i = 0; q[key].length > (key === 'clauses' ? 1 : 0) && i < q[key].length;) {
      const less = { ...q, [key]: q[key].filter((_, k) => k !== i) };
      if (await still(less)) q = less;
      else i++;
    }
  for (const plain of [{ post: false }, { count: 1000 }, { patient: undefined }]) if (await still({ ...q, ...plain })) q = { ...q, ...plain };
  return q;
}

const kindOf = (c) => (c.chain ? `chain ${1 + depthOf(c.chain.clause)}` : c.has ? `_has ${1 + depthOf(c.has.clause)}` : c.name.startsWith('_') ? c.name : c.missing !== undefined ? ':missing' : c.param.kind + (c.modifier ? `:${c.modifier}` : ''));
const depthOf = (c) => (c.chain ? 1 + depthOf(c.chain.clause) : c.has ? 1 + depthOf(c.has.clause) : 0);

function* kindsOf(q) {
  for (const c of q.clauses) {
    yield kindOf(c);
    for (const v of c.values ?? []) {
      if (v.prefix) yield `${c.param.kind} ${v.prefix}`;
      if (v.system === 'http://unitsofmeasure.org') yield 'UCUM';
    }
  }
  if (q.sorts.length) yield `_sort ${q.sorts.length}`;
  for (const i of q.includes) yield i.text.split('=')[0];
  if (q.patient) yield 'compartment';
  if (q.post) yield 'POST';
  if (q.count < 1000) yield `pages of ${q.count}`;
}

async function runRelease(release, each, log) {
  const world = await World.start({ server: ['--access-log', 'off', '--body-max-mb', '256'] });
  try {
    const chance = new Chance(seed);
    const user = await world.user('oracle');
    const { byType, skipped } = parameters(release, shared);
    const stored = await fill(world, user, release, resources(chance, release), log);
    const record = new Record(release, stored, byType, members(release));
    const asker = new Asker(record, chance);
    const every = process.env.EVERY ? asker.every() : undefined;
    const started = Date.now(), kinds = new Map();
    let asked = 0, hits = 0, different = 0, ended = false;
    await Promise.all(Array.from({ length: 8 }, async () => {
      while ((every ? !ended : asked < each) && different < differencesMax) {
        const next = every?.next();
        if (next?.done) { ended = true; break; }
        asked++;
        const q = next?.value ?? asker.query();
        const { expected, got } = await differs(world, user, record, q);
        const has = expected.ids.length > 0;
        hits += has;
        for (const kind of new Set(kindsOf(q))) {
          const k = kinds.get(kind) ?? [0, 0];
          kinds.set(kind, [k[0] + 1, k[1] + has]);
        }
        if (!got) continue;
        different++;
        const least = await shrink(world, user, record, q);
        const d = await differs(world, user, record, least);
        const lacks = d.expected.ids.filter((id) => !d.got?.ids?.includes(id)), more = (d.got?.ids ?? []).filter((id) => !d.expected.ids.includes(id));
        const out = d.expected.included.filter((n) => !d.got?.included?.includes(n)), over = (d.got?.included ?? []).filter((n) => !d.expected.included.includes(n));
        log(`DIFFERENT ${show(release, least)}\n  ${least.clauses.map((c) => c.param?.expression).join(' && ')}\n  lacks ${lacks.slice(0, 4).join()} (${lacks.length}), has ${more.slice(0, 4).join()} (${more.length}); included: lacks ${out.slice(0, 4).join()} (${out.length}), has ${over.slice(0, 4).join()} (${over.length}) ${d.got?.error ?? ''}`);
      }
    }));
    log(`${release}: ${stored.length} resources, ${[...byType.values()].flat().length} parameters (${skipped.length} left out), ${asked} queries, ${Math.round((100 * hits) / asked)} % with matches, ${different} differ, ${((Date.now() - started) / 1000).toFixed(1)} s`);
    log(`  asked (with matches): ${[...kinds].sort().map(([k, [n, h]]) => `${k} ${n} (${h})`).join(', ')}`);
    return different;
  } finally {
    await world.stop();
  }
}

export async function run({ queries = wanted, log = console.log } = {}) {
  let differences = 0;
  log(`seed ${seed}`);
  for (const release of releases) differences += await runRelease(release, Math.ceil(queries / releases.length), log);
  return { differences, seed };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { differences } = await run();
  process.exit(differences ? 1 : 0);
}
