// Random searches over a record: values are mostly taken from it, so that most
// have an answer.
import { fold, number, range } from './values.mjs';
import { dimension } from './algebra.mjs';

const escape = (t) => t.replace(/[\\,$|]/g, (c) => `\\${c}`);
const quote = (t) => `"${t.replace(/["\\]/g, (c) => `\\${c}`)}"`;
const ucum = 'http://unitsofmeasure.org';

export class Asker {
  constructor(record, chance) {
    this.record = record;
    this.chance = chance;
    this.release = record.release;
    this.sets = (record.byType.get('ValueSet') ?? []).filter((v) => v.id.startsWith('made-')).map((v) => ({ url: v.url, codes: v.compose.include.flatMap((i) => i.concept.map((c) => ({ system: i.system, code: c.code }))) }));
    this.lists = (record.byType.get('List') ?? []).filter((v) => v.id.startsWith('made-'));
    this.rich = record.types.filter((t) => record.byType.get(t).length >= 5);
    this.pointers = new Map(); // type -> what refers to it
    for (const source of record.types)
      for (const param of record.known(source).filter((p) => p.kind === 'reference')) {
        const targets = new Set(record.byType.get(source).flatMap((r) => record.values(r, param).filter((v) => v.id).map((v) => v.type)));
        for (const t of targets) this.pointers.set(t, [...(this.pointers.get(t) ?? []), { source, param }]);
      }
  }

  // A value of the parameter: mostly of the resource in focus, so that several
  // clauses have something in common.
  sample(type, p, focus) {
    const own = focus && this.chance.is(0.75) ? this.record.values(focus, p) : [];
    if (own.length) return this.chance.pick(own);
    const all = this.record.byType.get(type);
    for (let i = 0; i < 30; i++) {
      const values = this.record.values(this.chance.pick(all), p);
      if (values.length) return this.chance.pick(values);
    }
    return undefined;
  }

  value(type, p, modifier, focus) {
    const v = this.sample(type, p, focus);
    return v === undefined ? undefined : this[p.kind](v, modifier);
  }

  token(v, modifier) {
    const { chance } = this;
    if (modifier === 'in' || modifier === 'not-in') {
      const set = this.sets.length && chance.pick(this.sets);
      return set ? { set: set.codes, shown: escape(set.url) } : undefined;
    }
    if (modifier === 'of-type') {
      const t = v.kind === 'identifier' && v.code && v.types?.length ? chance.pick(v.types) : undefined;
      return t?.system && t.code ? { modifier, system: t.system, type: t.code, code: v.code, shown: `${escape(t.system)}|${escape(t.code)}|${escape(v.code)}` } : undefined;
    }
    if (modifier === 'text') {
      if (!v.text) return undefined;
      const text = chance.pick(v.text.split(' '));
      return fold(text) ? { modifier, text, shown: escape(text) } : undefined;
    }
    if (!v.code) return undefined;
    const code = chance.is(0.1) ? `${v.code}x` : chance.is(0.1) && v.kind === 'coding' ? v.code.toUpperCase() : v.code;
    if (v.system && v.kind !== 'code' && chance.is(0.5)) return { system: v.system, code, shown: `${escape(v.system)}|${escape(code)}` };
    return { code, shown: escape(code) };
  }

  string(v, modifier) {
    const { chance } = this;
    const at = modifier === 'contains' ? chance.below(v.length) : 0;
    let text = modifier === 'exact' ? v : v.slice(at, at + 1 + chance.below(6));
    if (modifier !== 'exact' && chance.is(0.3)) text = text.toUpperCase();
    if (chance.is(0.05)) text += 'q';
    if (!fold(text) || text !== text.trim() || /[\n\r\t]/.test(text)) return undefined;
    return { modifier, text, shown: escape(text) };
  }

  date(v) {
    const { chance } = this;
    const at = new Date((Number.isFinite(v[0]) ? v[0] : v[1] - 1) + (chance.is(0.3) ? (chance.below(5) - 2) * 86400000 : 0));
    if (Number.isNaN(at.getTime()) || at.getUTCFullYear() < 1 || at.getUTCFullYear() > 9999) return undefined;
    const text = at.toISOString().slice(0, chance.pick([4, 7, 10, 10, 19, 23]));
    const shown = text.length >= 19 ? `${text}Z` : text;
    const prefix = chance.pick(['', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']);
    return { prefix, range: range(shown), shown: prefix + shown };
  }

  number(v) {
    const { chance } = this;
    const n = chance.is(0.2) ? v.value + 1 : v.value;
    if (!Number.isFinite(n)) return undefined;
    const text = chance.pick([String(n), n.toFixed(1), n.toFixed(0)]).replace(/^-0(\.0)?$/, '0');
    const prefix = chance.pick(['', 'ne', 'gt', 'lt', 'ge', 'le', 'ap']);
    return /e/.test(text) ? undefined : { prefix, ...number(text), shown: prefix + text };
  }

  quantity(v) {
    const q = this.number(v), { chance } = this;
    if (!q || !v.code || !v.system || chance.is(0.3)) return q;
    if (v.system !== ucum) return { ...q, system: v.system, code: v.code, shown: `${q.shown}|${escape(v.system)}|${escape(v.code)}` };
    const d = dimension(v.code);
    if (!d || q.prefix === 'ne') return q;
    const code = chance.pick(Object.keys(d));
    const text = String(Number((q.value * (d[v.code] / d[code]) * (chance.is(0.3) ? 1.07 : 1)).toPrecision(chance.pick([2, 3, 4]))));
    return /e/.test(text) ? undefined : { prefix: q.prefix, ...number(text), system: ucum, code, shown: `${q.prefix}${text}|${ucum}|${escape(code)}` };
  }

  reference(v, modifier) {
    const { chance } = this;
    if (modifier === 'identifier') {
      const i = v.identifier;
      if (!i?.value) return undefined;
      return i.system && chance.is(0.6) ? { modifier, system: i.system, code: i.value, shown: `${escape(i.system)}|${escape(i.value)}` } : { modifier, code: i.value, shown: escape(i.value) };
    }
    if (!v.id) return undefined;
    const id = chance.is(0.1) ? `${v.id}x`.slice(-64) : v.id;
    return chance.is(0.6) ? { type: v.type, id, shown: `${v.type}/${id}` } : { id, shown: id };
  }

  uri(v, modifier) {
    let text = v;
    if (modifier === 'below') text = v.slice(0, v.lastIndexOf('/')) || v;
    if (modifier === 'above') text = `${v}${this.chance.pick(['', '/more', '/1/2'])}`;
    return { modifier, text, shown: escape(text) };
  }

  place(v) {
    const { chance } = this;
    const at = v.map((x) => Number((x + chance.next() - 0.5).toFixed(3)));
    const unit = chance.pick(['km', 'm', '[mi_i]']);
    const distance = unit === 'm' ? 1000 * (1 + chance.below(120)) : 1 + chance.below(120);
    return { at, km: unit === 'm' ? distance / 1000 : unit === 'km' ? distance : distance * 1.609344, shown: `${at[0]}|${at[1]}|${distance}|${unit}` };
  }

  composite(tuple) {
    const parts = tuple.map((part) => (part.values.length ? this[part.kind](this.chance.pick(part.values), '') : undefined));
    return parts.every(Boolean) ? { parts, shown: parts.map((q) => q.shown).join('$') } : undefined;
  }

  modifier(param) {
    const r4 = this.release === 'r4';
    switch (param.kind) {
      case 'token': return this.chance.pick(['', '', '', '', 'not', 'text', ...(r4 && !param.code.startsWith('_') ? ['in', 'not-in', 'of-type'] : [])]);
      case 'string': return this.chance.pick(['', '', 'exact', 'contains']);
      case 'uri': return this.chance.pick(['', '', 'above', 'below']);
      case 'reference': return this.chance.pick(['', '', '', '', ...(r4 ? ['identifier'] : [])]);
      default: return '';
    }
  }

  plain(type, known, focus) {
    const { chance } = this;
    const has = focus && chance.is(0.8) ? known.filter((p) => this.record.values(focus, p).length) : [];
    const rare = chance.is(0.2) ? has.filter((p) => ['quantity', 'number', 'composite', 'place', 'uri'].includes(p.kind)) : [];
    const param = chance.pick(rare.length ? rare : has.length ? has : known);
    if (chance.is(0.06)) {
      const missing = chance.is(0.5);
      return { param, missing, name: `${param.code}:missing`, shown: String(missing) };
    }
    const modifier = this.modifier(param);
    const values = Array.from({ length: chance.is(0.25) && !modifier.endsWith('in') ? 2 : 1 }, () => this.value(type, param, modifier, focus));
    if (values.some((v) => !v)) return undefined;
    return { param, modifier, values, name: param.code + (modifier ? `:${modifier}` : ''), shown: values.map((v) => v.shown).join() };
  }

  chained(type, known, depth, focus) {
    const { chance, record } = this;
    const references = known.filter((p) => p.kind === 'reference');
    const has = focus ? references.filter((p) => record.values(focus, p).some((v) => record.byName.has(`${v.type}/${v.id}`))) : [];
    const param = references.length && chance.pick(has.length ? has : references);
    const v = param && this.sample(type, param, focus);
    if (!v || !record.params.has(v.type) || !record.byType.has(v.type)) return undefined;
    const clause = this.clause(v.type, depth + 1, record.byName.get(`${v.type}/${v.id}`));
    return clause && { param, chain: { type: v.type, clause }, name: `${param.code}:${v.type}.${clause.name}`, shown: clause.shown };
  }

  having(type, depth, focus) {
    const { chance, record } = this;
    const { source, param } = chance.pick(this.pointers.get(type) ?? [{}]);
    if (!source) return undefined;
    const from = focus && record.byType.get(source).find((s) => record.values(s, param).some((v) => v.type === type && v.id === focus.id));
    const clause = this.clause(source, depth + 1, from);
    return clause && { has: { type: source, param, clause }, name: `_has:${source}:${param.code}:${clause.name}`, shown: clause.shown };
  }

  clause(type, depth = 0, focus = undefined) {
    const { chance, record } = this;
    const known = record.known(type), roll = chance.next();
    if (!known.length) return undefined;
    if (depth < 3 && roll < 0.15 + 0.1 * depth) return this.chained(type, known, depth, focus);
    if (depth < 3 && roll < 0.28 + 0.1 * depth) return this.having(type, depth, focus);
    if (depth === 0 && roll < 0.3) {
      const id = Array.from({ length: 1 + chance.below(4) }, () => chance.pick(record.byType.get(type)).id);
      return { id, name: '_id', shown: id.join() };
    }
    if (depth === 0 && roll < 0.32 && this.lists.length && ['Patient', 'Observation'].includes(type)) {
      const list = chance.pick(this.lists);
      return { list, name: '_list', shown: list.id };
    }
    if (depth === 0 && roll < 0.4) return this.filter(type, known, focus);
    return this.plain(type, known, focus);
  }

  // --- _filter --------------------------------------------------------------

  leaf(type, known, focus) {
    const { chance } = this;
    const param = chance.pick(known.filter((p) => ['token', 'string', 'date', 'number', 'reference'].includes(p.kind)));
    if (!param) return undefined;
    if (chance.is(0.1)) {
      const missing = chance.is(0.5);
      return { param, missing, text: `${param.code} pr ${!missing}` };
    }
    const modifier = param.kind === 'string' ? chance.pick(['', 'exact', 'contains']) : '';
    const q = this.value(type, param, modifier, focus);
    if (!q || /[|\\]/.test(q.code ?? '') || /[|\\]/.test(q.system ?? '')) return undefined;
    const one = { param, modifier, values: [q] };
    const op = param.kind === 'string' ? { '': 'sw', exact: 'eq', contains: 'co' }[modifier] : q.prefix && q.prefix !== 'ne' ? q.prefix : 'eq';
    const raw = param.kind === 'string' ? q.text : param.kind === 'token' ? (q.system ? `${q.system}|${q.code}` : q.code) : q.shown.slice((q.prefix ?? '').length);
    if (q.prefix === 'ne') { q.prefix = ''; return { none: [one], text: `${param.code} ne ${quote(raw)}` }; }
    return { ...one, text: `${param.code} ${op} ${quote(raw)}` };
  }

  tree(type, known, depth, focus) {
    const { chance } = this;
    if (depth === 0 || chance.is(0.3)) return this.leaf(type, known, focus);
    const parts = Array.from({ length: 2 }, () => this.tree(type, known, depth - 1, focus));
    if (!parts.every(Boolean)) return undefined;
    const way = chance.pick(['all', 'any', 'none']);
    if (way === 'none') return { none: [parts[0]], text: `not (${parts[0].text})` };
    return { [way]: parts, text: parts.map((p) => `(${p.text})`).join(way === 'all' ? ' and ' : ' or ') };
  }

  filter(type, known, focus) {
    const tree = this.tree(type, known, 2, focus);
    return tree && { all: [tree], name: '_filter', shown: tree.text };
  }

  // --- includes -------------------------------------------------------------

  include(type) {
    const { chance, record } = this;
    const reverse = chance.is(0.4), iterate = chance.is(0.4);
    const of = reverse || (iterate && chance.is(0.5)) ? chance.pick(record.types) : type;
    const param = chance.pick(record.known(of).filter((p) => p.kind === 'reference'));
    const v = param && this.sample(of, param);
    if (!v || (param.target && v.type !== param.target)) return undefined;
    const target = chance.is(0.4) && v.type ? v.type : undefined;
    const mark = this.release === 'r4' ? ':iterate' : ':recurse';
    return { reverse, iterate, type: of, param, target, text: `${reverse ? '_revinclude' : '_include'}${iterate ? mark : ''}=${of}:${param.code}${target ? `:${target}` : ''}` };
  }

  patientOf(focus) {
    const codes = focus && this.record.members.get(focus.resourceType);
    const found = codes && this.record.known(focus.resourceType).filter((p) => codes.includes(p.code)).flatMap((p) => this.record.values(focus, p)).find((v) => v.type === 'Patient' && v.id);
    return found?.id;
  }

  query() {
    const { chance, record } = this;
    for (;;) {
      const type = chance.is(0.3) ? chance.pick(['Observation', 'Patient', 'Location', 'Encounter']) : chance.pick(chance.is(0.5) ? this.rich : record.types);
      if (!record.byType.has(type)) continue;
      const focus = chance.is(0.9) ? chance.pick(record.byType.get(type)) : undefined;
      const clauses = Array.from({ length: chance.pick([1, 1, 2, 2, 3]) }, () => this.clause(type, 0, focus));
      if (!clauses.every(Boolean)) continue;
      const sortable = record.known(type).filter((p) => ['date', 'string', 'number'].includes(p.kind));
      const sorts = chance.is(0.25) && sortable.length ? Array.from({ length: 1 + chance.below(3) }, () => ({ param: chance.pick(sortable), down: chance.is(0.5) })) : [];
      const includes = chance.is(0.15) ? Array.from({ length: 1 + chance.below(2) }, () => this.include(type)).filter(Boolean) : [];
      const patient = chance.is(0.07) && record.knowsMembers(type) ? this.patientOf(focus) ?? chance.pick(record.byType.get('Patient')).id : undefined;
      return { type, clauses, sorts, includes, patient, count: chance.pick([1000, 1000, 50, 7]), post: !patient && chance.is(0.1) };
    }
  }

  // Every parameter of every type with every value that it has: what was
  // extracted, told by what is found.
  * every() {
    const { record } = this;
    for (const type of record.types)
      for (const param of record.known(type)) {
        const base = { type, sorts: [], includes: [], count: 1000 };
        yield { ...base, clauses: [{ param, missing: true, name: `${param.code}:missing`, shown: 'true' }] };
        if (param.kind === 'place' || param.kind === 'composite') continue;
        const modifier = param.kind === 'string' ? 'exact' : '';
        const seen = new Set();
        for (const r of record.byType.get(type))
          for (const v of record.values(r, param)) {
            const q = exactly(param, v);
            if (!q || seen.has(q.shown)) continue;
            seen.add(q.shown);
            yield { ...base, clauses: [{ param, modifier, values: [q], name: param.code + (modifier && `:${modifier}`), shown: q.shown }] };
          }
      }
  }
}

function exactly(param, v) {
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
