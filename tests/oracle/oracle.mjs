// Random searches, answered by the server and by a naive evaluator that shares
// no code with it: SEED=1 QUERIES=100000 RELEASE=r4 node tests/oracle/oracle.mjs;
// EVERY=1 asks for every value of every parameter instead (docs/fhir.md).
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { World } from '../support/world.mjs';
import { shared } from '../support/programs.mjs';
import { extract, fold, number, parameters, range } from './values.mjs';

const releases = (process.env.RELEASE ?? 'r4,stu3,dstu2').split(',');
const wanted = Number(process.env.QUERIES ?? 3000);
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
let state = seed >>> 0;
const random = () => { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const below = (n) => Math.floor(random() * n);
const pick = (a) => a[below(a.length)];

const unpack = (file) => gunzipSync(readFileSync(file)).toString();
function resources(release) {
  const out = unpack(join(shared, 'fhir', release, 'examples.ndjson.gz')).trim().split('\n').map((l) => JSON.parse(l)).filter((r) => r.id && !['AuditEvent', 'Bundle', 'Subscription'].includes(r.resourceType));
  const folder = join(shared, 'patients', release);
  if (existsSync(folder)) {
    const small = readdirSync(folder).filter((f) => f.endsWith('.json.gz')).sort();
    for (const f of small) {
      if (out.length > 2500) break;
      const bundle = JSON.parse(unpack(join(folder, f)));
      if ((bundle.entry ?? []).length > 600) continue;
      out.push(...(bundle.entry ?? []).map((e) => e.resource).filter((r) => r?.id && !['AuditEvent', 'Subscription'].includes(r.resourceType)));
    }
  }
  const seen = new Set();
  return out.filter((r) => { const key = `${r.resourceType}/${r.id}`; if (seen.has(key) || !/^[A-Za-z0-9.-]{1,64}$/.test(r.id)) return false; seen.add(key); return true; });
}

async function fill(world, user, release, all) {
  for (let i = 0; i < all.length; i += 200) {
    const entry = all.slice(i, i + 200).map((resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
    const answer = await world.send(user, 'POST', `/${release}`, { resourceType: 'Bundle', type: 'batch', entry });
    const bad = answer.body.entry?.filter((e) => !/^20/.test(e.response.status)) ?? [];
    if (answer.status !== 200 || bad.length) console.log(`${release}: ${bad.length} of ${entry.length} refused: ${JSON.stringify(bad[0] ?? answer.body).slice(0, 300)}`);
  }
  const stored = await world.all(user, `/${release}/Patient/$everything?_count=1000`);
  return stored;
}

// --- the naive algebra ------------------------------------------------------

const compare = {
  date: (q, v) => {
    const [low, high] = v, [from, to] = q.range;
    const inside = low >= from && high <= to;
    switch (q.prefix) {
      case 'ne': return !inside;
      case 'gt': return high > to;
      case 'lt': return low < from;
      case 'ge': return high > to || inside;
      case 'le': return low < from || inside;
      case 'sa': return low >= to;
      case 'eb': return high <= from;
      default: return inside;
    }
  },
  number: (q, v) => {
    const inside = v.value === q.value || (v.value >= q.value - q.half && v.value < q.value + q.half);
    switch (q.prefix) {
      case 'ne': return !inside;
      case 'gt': return v.value > q.value;
      case 'lt': return v.value < q.value;
      case 'ge': return v.value >= q.value;
      case 'le': return v.value <= q.value;
      default: return inside;
    }
  },
  quantity: (q, v) => (q.system === undefined || q.system === v.system) && (q.code === undefined || q.code === v.code || (q.system === undefined && q.code === v.unit)) && compare.number(q, v),
  string: (q, v) => (q.modifier === 'exact' ? v === q.text : q.modifier === 'contains' ? fold(v).includes(fold(q.text)) : fold(v).startsWith(fold(q.text))),
  uri: (q, v) => v === q.text || v.startsWith(`${q.text}|`),
  reference: (q, v) => v.id === q.id && (!q.type || v.type === q.type),
  token: (q, v) => {
    if (q.modifier === 'text') return v.text !== undefined && v.kind !== 'contact' && fold(v.text).includes(fold(q.text));
    if (v.code === undefined) return false;
    const same = v.kind === 'identifier' ? v.code === q.code : fold(v.code) === fold(q.code);
    return same && (q.system === undefined || q.system === v.system);
  },
};

class Oracle {
  constructor(release, stored, params) {
    this.release = release;
    this.params = params;
    this.byType = new Map();
    this.byName = new Map();
    for (const r of stored) {
      if (!this.byType.has(r.resourceType)) this.byType.set(r.resourceType, []);
      this.byType.get(r.resourceType).push(r);
      this.byName.set(`${r.resourceType}/${r.id}`, r);
    }
    this.cache = new Map();
    this.types = [...this.byType.keys()].filter((t) => params.has(t));
  }

  values(r, p) {
    const key = `${r.resourceType}/${r.id}/${p.code}`;
    if (!this.cache.has(key)) this.cache.set(key, extract(r, p));
    return this.cache.get(key);
  }

  // A parameter that fhirpath.js can tell for every resource of the type.
  knows(type, p) {
    p.known ??= this.byType.get(type).every((r) => this.values(r, p) !== undefined);
    return p.known;
  }

  holds(r, c) {
    if (c.id) return c.id.includes(r.id);
    if (c.chain) return this.values(r, c.param).some((v) => (v.type === c.chain.type) && this.byName.has(`${v.type}/${v.id}`) && this.holds(this.byName.get(`${v.type}/${v.id}`), c.chain.clause));
    if (c.has) return (this.byType.get(c.has.type) ?? []).some((s) => this.values(s, c.has.param).some((v) => v.type === r.resourceType && v.id === r.id) && this.holds(s, c.has.clause));
    const values = this.values(r, c.param);
    if (c.missing !== undefined) return (values.length === 0) === c.missing;
    const any = c.values.some((q) => values.some((v) => compare[c.param.kind](q, v)));
    return c.modifier === 'not' ? !any : any;
  }

  answer(query) {
    const found = this.byType.get(query.type).filter((r) => query.clauses.every((c) => this.holds(r, c))).sort((a, b) => (a.id < b.id ? -1 : 1));
    const keys = new Map(found.map((r) => [r, query.sorts.map((s) => this.key(r, s))]));
    const order = (a, b) => {
      for (const [i, s] of query.sorts.entries()) {
        const x = keys.get(a)[i], y = keys.get(b)[i];
        if ((x === undefined) !== (y === undefined)) return x === undefined ? 1 : -1; // last, both ways
        const by = x === undefined ? 0 : typeof x === 'string' ? Buffer.compare(Buffer.from(x), Buffer.from(y)) : x < y ? -1 : x > y ? 1 : 0;
        if (by) return s.down ? -by : by;
      }
      return 0;
    };
    return found.sort(order).map((r) => r.id); // a stable sort: ids break ties
  }

  // Of several values the least, or going down the greatest.
  key(r, { param, down }) {
    const all = this.values(r, param).map((v) => (param.kind === 'date' ? v[0] : param.kind === 'string' ? fold(v) : v.value)).filter((v) => v !== '');
    return all.length === 0 ? undefined : all.reduce((a, b) => ((typeof a === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0 : a < b) !== Boolean(down) ? a : b));
  }

  // --- asking ---------------------------------------------------------------

  sample(type, p) {
    const all = this.byType.get(type);
    for (let i = 0; i < 12; i++) {
      const values = this.values(pick(all), p);
      if (values.length) return pick(values);
    }
    return undefined;
  }

  value(type, p, modifier) {
    const v = this.sample(type, p);
    if (v === undefined) return undefined;
    const escape = (t) => t.replace(/[\\,$|]/g, (c) => `\\${c}`);
    switch (p.kind) {
      case 'token': {
        if (modifier === 'text') {
          if (!v.text) return undefined;
          const words = v.text.split(' ');
          const text = pick(words);
          return fold(text) ? { modifier, text, shown: escape(text) } : undefined;
        }
        if (!v.code) return undefined;
        const code = random() < 0.1 ? `${v.code}x` : random() < 0.1 && v.kind === 'coding' ? v.code.toUpperCase() : v.code;
        if (v.system && v.kind !== 'code' && random() < 0.5) return { system: v.system, code, shown: `${escape(v.system)}|${escape(code)}` };
        return { code, shown: escape(code) };
      }
      case 'string': {
        const at = modifier === 'contains' ? below(v.length) : 0;
        let text = modifier === 'exact' ? v : v.slice(at, at + 1 + below(6));
        if (modifier !== 'exact' && random() < 0.3) text = text.toUpperCase();
        if (random() < 0.05) text += 'q';
        if (!fold(text) || text !== text.trim() || /[\n\r\t]/.test(text)) return undefined;
        return { modifier, text, shown: escape(text) };
      }
      case 'date': {
        const at = new Date((Number.isFinite(v[0]) ? v[0] : v[1] - 1) + (random() < 0.3 ? (below(5) - 2) * 86400000 : 0));
        if (Number.isNaN(at.getTime()) || at.getUTCFullYear() < 1 || at.getUTCFullYear() > 9999) return undefined;
        const text = at.toISOString().slice(0, pick([4, 7, 10, 10, 19]));
        const shown = text.length === 19 ? `${text}Z` : text;
        const prefix = pick(['', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb']);
        return { prefix, range: range(shown), shown: prefix + shown };
      }
      case 'number':
      case 'quantity': {
        const n = random() < 0.2 ? v.value + 1 : v.value;
        if (!Number.isFinite(n)) return undefined;
        const text = pick([String(n), n.toFixed(1), n.toFixed(0)]).replace(/^-0(\.0)?$/, '0');
        const prefix = pick(['', 'ne', 'gt', 'lt', 'ge', 'le']);
        const q = { prefix, ...number(text), shown: prefix + text };
        if (p.kind === 'quantity' && v.code && v.system !== 'http://unitsofmeasure.org' && v.system && random() < 0.5) return { ...q, system: v.system, code: v.code, shown: `${q.shown}|${escape(v.system)}|${escape(v.code)}` };
        return q;
      }
      case 'reference': {
        if (!v.id) return undefined;
        const id = random() < 0.1 ? `${v.id}x`.slice(-64) : v.id;
        return random() < 0.6 ? { type: v.type, id, shown: `${v.type}/${id}` } : { id, shown: id };
      }
      default:
        return { text: v, shown: escape(v) };
    }
  }

  clause(type, depth = 0) {
    const known = this.params.get(type)?.filter((p) => this.knows(type, p));
    if (!known?.length) return undefined;
    const roll = random();
    const references = known.filter((p) => p.kind === 'reference');
    if (depth < 2 && roll < 0.15 && references.length) {
      const param = pick(references);
      const v = this.sample(type, param);
      if (!v || !this.params.has(v.type) || !this.byType.has(v.type)) return undefined;
      const clause = this.clause(v.type, depth + 1);
      return clause && { param, chain: { type: v.type, clause }, name: `${param.code}:${v.type}.${clause.name}`, shown: clause.shown };
    }
    if (depth < 2 && roll < 0.25) {
      const source = pick(this.types);
      const param = pick(this.params.get(source).filter((p) => p.kind === 'reference' && this.knows(source, p)));
      const clause = param && this.clause(source, depth + 1);
      return clause && { has: { type: source, param, clause }, name: `_has:${source}:${param.code}:${clause.name}`, shown: clause.shown };
    }
    if (depth === 0 && roll < 0.28) {
      const id = Array.from({ length: 1 + below(4) }, () => pick(this.byType.get(type)).id);
      return { id, name: '_id', shown: id.join() };
    }
    const param = pick(known);
    if (roll < 0.33) {
      const missing = random() < 0.5;
      return { param, missing, name: `${param.code}:missing`, shown: String(missing) };
    }
    const modifier = param.kind === 'token' ? pick(['', '', '', 'not', 'text']) : param.kind === 'string' ? pick(['', '', 'exact', 'contains']) : '';
    const values = Array.from({ length: random() < 0.25 ? 2 : 1 }, () => this.value(type, param, modifier));
    if (values.some((v) => !v)) return undefined;
    return { param, modifier, values, name: param.code + (modifier ? `:${modifier}` : ''), shown: values.map((v) => v.shown).join() };
  }

  // Every parameter of every type with every value that it has: what was
  // extracted, told by what is found.
  * every() {
    for (const type of this.types)
      for (const param of this.params.get(type)) {
        if (!this.knows(type, param)) continue;
        yield { type, sorts: [], clauses: [{ param, missing: true, name: `${param.code}:missing`, shown: 'true' }] };
        const modifier = param.kind === 'string' ? 'exact' : '';
        const seen = new Set();
        for (const r of this.byType.get(type))
          for (const v of this.values(r, param)) {
            const q = this.exactly(param, v);
            if (!q || seen.has(q.shown)) continue;
            seen.add(q.shown);
            yield { type, sorts: [], clauses: [{ param, modifier, values: [q], name: param.code + (modifier && `:${modifier}`), shown: q.shown }] };
          }
      }
  }

  exactly(param, v) {
    const escape = (t) => t.replace(/[\\,$|]/g, (c) => `\\${c}`);
    switch (param.kind) {
      case 'token': return v.code && (v.system && v.kind !== 'code' ? { system: v.system, code: v.code, shown: `${escape(v.system)}|${escape(v.code)}` } : { code: v.code, shown: escape(v.code) });
      case 'string': return fold(v) && v === v.trim() && !/[\n\r\t]/.test(v) && v.length < 4000 ? { modifier: 'exact', text: v, shown: escape(v) } : undefined;
      case 'date': {
        const at = new Date(Number.isFinite(v[0]) ? v[0] : v[1] - 1);
        const text = at.getUTCFullYear() > 0 && at.getUTCFullYear() < 10000 ? at.toISOString().slice(0, 10) : undefined;
        return text && { prefix: '', range: range(text), shown: text };
      }
      case 'number': case 'quantity': return Number.isFinite(v.value) && !/e/.test(String(v.value)) ? { prefix: '', ...number(String(v.value)), shown: String(v.value) } : undefined;
      case 'reference': return v.id && { type: v.type, id: v.id, shown: `${v.type}/${v.id}` };
      default: return { text: v, shown: escape(v) };
    }
  }

  query() {
    for (;;) {
      const type = pick(this.types);
      const clauses = Array.from({ length: 1 + below(3) }, () => this.clause(type));
      if (!clauses.every(Boolean)) continue;
      const sortable = this.params.get(type).filter((p) => ['date', 'string', 'number'].includes(p.kind) && this.knows(type, p));
      const sorts = random() < 0.25 && sortable.length ? Array.from({ length: 1 + below(2) }, () => ({ param: pick(sortable), down: random() < 0.5 })) : [];
      return { type, clauses, sorts };
    }
  }
}

const show = (release, q) => `/${release}/${q.type}?${q.clauses.map((c) => `${encodeURIComponent(c.name)}=${encodeURIComponent(c.shown)}`).join('&')}${q.sorts.length ? `&_sort=${q.sorts.map((k) => (k.down ? '-' : '') + k.param.code).join()}` : ''}`;

async function ask(world, user, url) {
  const ids = [];
  let total;
  for (let next = `${url}&_count=1000`; next;) {
    const answer = await world.get(user, next, { Prefer: 'handling=strict' });
    if (answer.status !== 200) return { error: `${answer.status} ${answer.text.slice(0, 200)}` };
    total = answer.body.total;
    ids.push(...answer.body.entry.map((e) => e.resource.id));
    next = answer.body.link?.find((l) => l.relation === 'next')?.url;
  }
  return { ids, total };
}

async function differs(world, user, oracle, q) {
  const expected = oracle.answer(q);
  const got = await ask(world, user, show(oracle.release, q));
  if (!got.error && got.total === expected.length && got.ids.length === expected.length && got.ids.every((id, i) => id === expected[i])) return { expected };
  return { expected, got };
}

// The fewest clauses and values that still differ.
async function shrink(world, user, oracle, q) {
  for (let i = 0; q.clauses.length > 1 && i < q.clauses.length;) {
    const less = { ...q, clauses: q.clauses.filter((_, k) => k !== i) };
    if ((await differs(world, user, oracle, less)).got) q = less;
    else i++;
  }
  return q.sorts.length && (await differs(world, user, oracle, { ...q, sorts: [] })).got ? { ...q, sorts: [] } : q;
}

export async function run({ queries = wanted, log = console.log } = {}) {
  let differences = 0;
  log(`seed ${seed}`);
  for (const release of releases) {
    const world = await World.start({ server: ['--access-log', 'off', '--body-max-mb', '256'] });
    try {
      const user = await world.user('oracle');
      const { byType, skipped } = parameters(release, shared);
      const stored = await fill(world, user, release, resources(release));
      const oracle = new Oracle(release, stored, byType);
      const started = Date.now();
      const each = Math.ceil(queries / releases.length);
      const every = process.env.EVERY ? oracle.every() : undefined;
      let asked = 0, hits = 0, ended = false;
      const kinds = new Map();
      await Promise.all(Array.from({ length: 8 }, async () => {
        while ((every ? !ended : asked < each) && differences < 25) {
          const next = every?.next();
          if (next?.done) { ended = true; break; }
          asked++;
          const q = next?.value ?? oracle.query();
          const { expected, got } = await differs(world, user, oracle, q);
          hits += expected.length > 0;
          if (q.sorts.length) kinds.set('_sort', 1 + (kinds.get('_sort') ?? 0));
          for (const c of q.clauses) kinds.set(c.chain ? 'chain' : c.has ? '_has' : c.id ? '_id' : c.missing !== undefined ? ':missing' : c.param.kind + (c.modifier ? `:${c.modifier}` : ''), 1 + (kinds.get(c.chain ? 'chain' : c.has ? '_has' : c.id ? '_id' : c.missing !== undefined ? ':missing' : c.param.kind + (c.modifier ? `:${c.modifier}` : '')) ?? 0));
          if (!got) continue;
          differences++;
          const least = await shrink(world, user, oracle, q);
          const d = await differs(world, user, oracle, least);
          const missing = d.expected.filter((id) => !d.got?.ids?.includes(id)), extra = (d.got?.ids ?? []).filter((id) => !d.expected.includes(id));
          log(`DIFFERENT ${decodeURIComponent(show(release, least))}\n  ${least.clauses.map((c) => c.param?.expression).join(' && ')}\n  lacks ${missing.slice(0, 4).join()} (${missing.length}), has ${extra.slice(0, 4).join()} (${extra.length}) ${d.got?.error ?? ''}`);
        }
      }));
      log(`${release}: ${stored.length} resources, ${[...byType.values()].flat().length} parameters (${skipped.length} left out), ${asked} queries, ${Math.round((100 * hits) / asked)} % with hits, ${differences} differ, ${((Date.now() - started) / 1000).toFixed(1)} s; ${[...kinds].map(([k, n]) => `${k} ${n}`).join(', ')}`);
    } finally {
      await world.stop();
    }
  }
  return { differences, seed };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { differences } = await run();
  process.exit(differences ? 1 : 0);
}
