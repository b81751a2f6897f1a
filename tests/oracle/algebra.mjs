// What a search finds, by the written rules alone: every resource is looked at.
import { extract, fold } from './values.mjs';

const km = ([a, b], [c, d]) => {
  const rad = (x) => (x * Math.PI) / 180, h = (x) => Math.sin(rad(x) / 2) ** 2;
  return 2 * 6371.0088 * Math.asin(Math.min(1, Math.sqrt(h(c - a) + Math.cos(rad(a)) * Math.cos(rad(c)) * h(d - b))));
};

// Two whole path steps alike, one after the other: http://x/a is above http://x/a/b.
const isAbove = (over, under) => under === over || (under.startsWith(over) && (over.endsWith('/') || ['/', '?', '#', '|'].includes(under[over.length])));

// The common units of UCUM: of one dimension each, how much of the first one.
const units = [
  { g: 1, kg: 1e3, mg: 1e-3, ug: 1e-6, ng: 1e-9, pg: 1e-12, '[lb_av]': 453.59237, '[oz_av]': 28.349523125 },
  { m: 1, km: 1e3, cm: 1e-2, mm: 1e-3, um: 1e-6, nm: 1e-9, '[in_i]': 0.0254, '[ft_i]': 0.3048, '[mi_i]': 1609.344 },
  { L: 1, l: 1, dL: 0.1, mL: 1e-3, ml: 1e-3, uL: 1e-6, fL: 1e-15 },
  { s: 1, ms: 1e-3, min: 60, h: 3600, d: 86400, wk: 604800, mo: 2629800, a: 31557600 },
  { Pa: 1, kPa: 1e3, 'mm[Hg]': 133.322, 'cm[H2O]': 98.0665, bar: 1e5 },
  { 'g/L': 1, 'g/dL': 10, 'g/mL': 1e3, 'mg/L': 1e-3, 'mg/dL': 1e-2, 'mg/mL': 1, 'ug/L': 1e-6, 'ug/dL': 1e-5, 'ug/mL': 1e-3, 'ng/L': 1e-9, 'ng/dL': 1e-8, 'ng/mL': 1e-6, 'pg/mL': 1e-9, 'pg/dL': 1e-11 },
  { 'mol/L': 1, 'mmol/L': 1e-3, 'umol/L': 1e-6, 'nmol/L': 1e-9, 'pmol/L': 1e-12 },
  { '/L': 1, '10*9/L': 1e9, '10*3/uL': 1e9, '10*6/uL': 1e12, '10*12/L': 1e12, '/uL': 1e6, '/mL': 1e3 },
  { 'U/L': 1, 'mU/L': 1e-3, 'U/mL': 1e3, 'mU/mL': 1, 'kU/L': 1e3 },
  { mol: 1, mmol: 1e-3, umol: 1e-6 }, { J: 1, kJ: 1e3, cal: 4.184, kcal: 4184 },
  { '/min': 1, '/s': 60, '/h': 1 / 60, '{beats}/min': 1, '{breaths}/min': 1 }, { 1: 1, '%': 1e-2 },
  { m2: 1, cm2: 1e-4 }, { 'mL/min': 1, 'L/min': 1e3, 'L/s': 6e4, 'mL/s': 60 },
];
export const dimension = (code) => units.find((d) => Object.hasOwn(d, code));
const ucum = 'http://unitsofmeasure.org';

const near = (a, b) => Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));

const compare = {
  date: (q, v) => {
    const [low, high] = v, [from, to] = q.range;
    const inside = low >= from && high <= to;
    const slack = Math.abs(Date.now() - from) / 10;
    switch (q.prefix) {
      case 'ne': return !inside;
      case 'gt': return high > to;
      case 'lt': return low < from;
      case 'ge': return high > to || inside;
      case 'le': return low < from || inside;
      case 'sa': return low >= to;
      case 'eb': return high <= from;
      case 'ap': return low < to + slack && high > from - slack;
      default: return inside;
    }
  },
  number: (q, v, factor = 1) => { // factor: q's unit in v's
    const value = q.value * factor, half = q.half * factor;
    if (factor !== 1 && [value, value - half, value + half, value * 0.9, value * 1.1].some((b) => near(b, v.value))) throw new Error('a rounding');
    const inside = v.value === value || (v.value >= value - half && v.value < value + half);
    switch (q.prefix) {
      case 'ne': return !inside;
      case 'gt': return v.value > value;
      case 'lt': return v.value < value;
      case 'ge': return v.value >= value;
      case 'le': return v.value <= value;
      case 'ap': return Math.abs(v.value - value) <= (Math.abs(value) / 10) * (1 + 1e-12); // 1.1 is a tenth from 1
      default: return inside;
    }
  },
  quantity: (q, v) => {
    if (q.system === ucum && v.system === ucum && q.code !== v.code) {
      const d = dimension(q.code);
      return Boolean(d) && Object.hasOwn(d, v.code) && compare.number(q, v, d[q.code] / d[v.code]);
    }
    return (q.system === undefined || q.system === v.system) && (q.code === undefined || q.code === v.code || (q.system === undefined && q.code === v.unit)) && compare.number(q, v);
  },
  string: (q, v) => (q.modifier === 'exact' ? v === q.text : q.modifier === 'contains' ? fold(v).includes(fold(q.text)) : fold(v).startsWith(fold(q.text))),
  uri: (q, v) => (q.modifier === 'above' ? isAbove(v, q.text) : q.modifier === 'below' ? isAbove(q.text, v) : v === q.text || v.startsWith(`${q.text}|`)),
  reference: (q, v) => (q.modifier === 'identifier' ? v.identifier !== undefined && v.identifier.value === q.code && (q.system === undefined || q.system === v.identifier.system) : v.id !== undefined && v.id === q.id && (!q.type || v.type === q.type)),
  token: (q, v) => {
    if (q.modifier === 'text') return v.text !== undefined && v.kind !== 'contact' && fold(v.text).includes(fold(q.text));
    if (v.code === undefined) return false;
    if (q.set) return q.set.some((s) => s.code === v.code && (v.kind === 'code' || s.system === v.system)); // a code's system is its binding's
    if (q.modifier === 'of-type') return v.kind === 'identifier' && v.code === q.code && v.types.some((t) => t.system === q.system && fold(t.code) === fold(q.type));
    const same = v.kind === 'identifier' ? v.code === q.code : fold(v.code) === fold(q.code);
    return same && (q.system === undefined || q.system === v.system);
  },
  composite: (q, tuple) => q.parts.every((part, i) => tuple[i].values.some((v) => compare[tuple[i].kind](part, v))),
  place: (q, v) => km(q.at, v) <= q.km,
};

export class Record {
  constructor(release, stored, params, members) {
    this.release = release;
    this.params = params;
    this.members = members; // of the Patient compartment: type -> codes
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
    p.known ??= new Map();
    if (!p.known.has(type)) p.known.set(type, this.byType.get(type).every((r) => this.values(r, p) !== undefined));
    return p.known.get(type);
  }

  known(type) { return (this.params.get(type) ?? []).filter((p) => this.byType.has(type) && this.knows(type, p)); }

  holds(r, c) {
    if (c.id) return c.id.includes(r.id);
    if (c.list) return c.list.entry.some((e) => e.item.reference === `${r.resourceType}/${r.id}`);
    if (c.all) return c.all.every((one) => this.holds(r, one));
    if (c.any) return c.any.some((one) => this.holds(r, one));
    if (c.none) return !c.none.some((one) => this.holds(r, one));
    if (c.chain) return this.values(r, c.param).some((v) => (v.type === c.chain.type) && this.byName.has(`${v.type}/${v.id}`) && this.holds(this.byName.get(`${v.type}/${v.id}`), c.chain.clause));
    if (c.has) return (this.byType.get(c.has.type) ?? []).some((s) => this.values(s, c.has.param).some((v) => v.type === r.resourceType && v.id === r.id) && this.holds(s, c.has.clause));
    const values = this.values(r, c.param);
    if (c.missing !== undefined) return (values.length === 0) === c.missing;
    const any = c.values.some((q) => values.some((v) => compare[c.param.kind](q, v)));
    return c.modifier === 'not' || c.modifier === 'not-in' ? !any : any;
  }

  isMember(r, patient) {
    const codes = this.members.get(r.resourceType) ?? [];
    return (r.resourceType === 'Patient' && r.id === patient) || this.known(r.resourceType).some((p) => codes.includes(p.code) && this.values(r, p).some((v) => v.type === 'Patient' && v.id === patient));
  }

  // Whether the compartment's parameters of a type can all be told.
  knowsMembers(type) {
    const known = this.known(type).map((p) => p.code);
    return (this.members.get(type) ?? []).length > 0 && this.members.get(type).every((code) => known.includes(code));
  }

  answer(query) {
    const found = this.byType.get(query.type).filter((r) => (!query.patient || this.isMember(r, query.patient)) && query.clauses.every((c) => this.holds(r, c))).sort((a, b) => (a.id < b.id ? -1 : 1));
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
    const matches = found.sort(order); // a stable sort: ids break ties
    return { ids: matches.map((r) => r.id), included: this.included(query, matches) };
  }

  // Of several values the least, or going down the greatest.
  key(r, { param, down }) {
    const all = this.values(r, param).map((v) => (param.kind === 'date' ? v[0] : param.kind === 'string' ? fold(v) : v.value)).filter((v) => v !== '');
    return all.length === 0 ? undefined : all.reduce((a, b) => ((typeof a === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0 : a < b) !== Boolean(down) ? a : b));
  }

  included(query, matches) {
    const inside = new Set(matches), out = [];
    let now = matches;
    for (let round = 0; now.length; round++) {
      const next = [];
      for (const i of query.includes ?? []) {
        if (round > 0 && !i.iterate) continue;
        for (const r of now)
          for (const to of i.reverse ? this.referring(r, i) : this.referred(r, i)) if (!inside.has(to)) { inside.add(to); next.push(to); }
      }
      out.push(...next);
      now = next;
    }
    return out.map((r) => `${r.resourceType}/${r.id}`).sort();
  }

  referred(r, i) {
    if (r.resourceType !== i.type) return [];
    return this.values(r, i.param).filter((v) => v.id && (!i.target || v.type === i.target)).map((v) => this.byName.get(`${v.type}/${v.id}`)).filter(Boolean);
  }

  referring(r, i) {
    if (i.target && r.resourceType !== i.target) return [];
    return this.byType.get(i.type).filter((s) => this.values(s, i.param).some((v) => v.type === r.resourceType && v.id === r.id));
  }
}
