// What a search parameter finds in a resource, by fhirpath.js and the official
// expressions: nothing of the server's own tables or code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const fhirpath = require('fhirpath');
const models = { r4: require('fhirpath/fhir-context/r4'), stu3: require('fhirpath/fhir-context/stu3'), dstu2: require('fhirpath/fhir-context/dstu2') };

export const fold = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase().toLowerCase().replace(/ς/g, 'σ').normalize('NFKD').replace(/\p{M}/gu, '').replace(/[ \t\r\n]+/g, ' ').trim();

// [low, high) in ms; undefined for what is no date.
export function range(text) {
  const m = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/.exec(text);
  if (!m) return undefined;
  const [, y, mo, d, h, mi, s, f, zone] = m;
  const at = (...p) => { const t = new Date(0); t.setUTCFullYear(p[0], p[1] ?? 0, p[2] ?? 1); t.setUTCHours(p[3] ?? 0, p[4] ?? 0, p[5] ?? 0, 0); return t.getTime(); };
  const n = Number;
  if (!mo) return [at(n(y)), at(n(y) + 1)];
  if (!d) return [at(n(y), n(mo) - 1), at(n(y), n(mo))];
  if (!h) return [at(n(y), n(mo) - 1, n(d)), at(n(y), n(mo) - 1, n(d) + 1)];
  const offset = zone && zone !== 'Z' ? (n(zone.slice(1, 3)) * 60 + n(zone.slice(4))) * (zone[0] === '-' ? -1 : 1) : 0;
  const low = at(n(y), n(mo) - 1, n(d), n(h), n(mi) - offset, n(s ?? 0));
  if (!s) return [low, low + 60000];
  if (!f) return [low, low + 1000];
  const ms = low + Math.floor(n(`0.${f}`) * 1000 + 1e-6);
  return [ms, ms + (f.length >= 3 ? 1 : 10 ** (3 - f.length))];
}

const decimal = (text) => {
  const [mantissa, exponent = '0'] = String(text).toLowerCase().split('e');
  const places = mantissa.includes('.') ? mantissa.split('.')[1].length : 0;
  return { value: Number(text), half: 0.5 * 10 ** (Number(exponent) - places) };
};
export const number = decimal;

const list = (v) => (v === undefined || v === null ? [] : Array.isArray(v) ? v : [v]);
const systems = new Set(['phone', 'fax', 'email', 'pager', 'url', 'sms', 'other']);

function tokens(v) {
  if (typeof v !== 'object') return [{ code: String(v), kind: 'code' }];
  if ('coding' in v || ('text' in v && !('value' in v) && !('code' in v))) return [...list(v.coding).filter((c) => c.code).map((c) => ({ system: c.system, code: c.code, text: c.display, kind: 'coding' })), ...list(v.coding).filter((c) => !c.code && c.display).map((c) => ({ text: c.display, kind: 'text' })), ...(v.text ? [{ text: v.text, kind: 'text' }] : [])];
  if (systems.has(v.system) && !('type' in v)) return v.value ? [{ system: v.system, code: v.value, kind: 'contact' }] : [];
  if ('value' in v || ('type' in v && !('code' in v)) || 'assigner' in v) return v.value || v.type?.text ? [{ system: v.system, code: v.value, kind: 'identifier', text: v.type?.text, types: list(v.type?.coding) }] : [];
  if ('code' in v) return [{ system: v.system, code: v.code, text: v.display, kind: 'coding' }];
  return [];
}

const names = ['text', 'family', 'given', 'prefix', 'suffix'];
const addresses = ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'];
function strings(v) {
  if (typeof v !== 'object') return [String(v)];
  if ('city' in v || 'line' in v || 'postalCode' in v || 'country' in v || 'state' in v) return addresses.flatMap((n) => list(v[n]));
  if ('family' in v || 'given' in v || 'prefix' in v || 'suffix' in v || ('text' in v && !('coding' in v))) return names.flatMap((n) => list(v[n]));
  return [];
}

const period = (v) => {
  const low = v.start && range(v.start), high = v.end && range(v.end);
  return low || high ? [[low ? low[0] : -Infinity, high ? high[1] : Infinity]] : [];
};
function dates(v) {
  if (typeof v === 'string') return [range(v)].filter(Boolean);
  if (typeof v !== 'object') return [];
  if ('event' in v || 'repeat' in v) return [...list(v.event).map(range).filter(Boolean), ...(v.repeat?.boundsPeriod ? period(v.repeat.boundsPeriod) : [])];
  return period(v);
}

const types = new Set();
function references(v) {
  if (typeof v === 'string') return [];
  const text = v.reference?.startsWith('#') ? undefined : v.reference;
  const identifier = v.identifier?.value ? v.identifier : undefined;
  if (!text) return identifier ? [{ identifier, type: v.type }] : [];
  const m = /^(?:.*\/)?([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/.exec(text);
  // an http URL that ends in type and id is found by these, wherever it leads
  return m && types.has(m[1]) && (!/^[a-z]+:/.test(text) || /^https?:/.test(text)) ? [{ type: m[1], id: m[2], identifier }] : [{ url: text, type: m?.[1], identifier }];
}

function quantities(v) {
  if (typeof v === 'object' && ('low' in v || 'high' in v)) throw new Error('a Range');
  if (typeof v !== 'object' || v.value === undefined) return [];
  return [{ ...decimal(v.value), system: v.system, code: v.code, unit: v.unit }];
}

const readers = { token: tokens, string: strings, date: dates, reference: references, quantity: quantities, number: (v) => (typeof v === 'object' ? (v.value === undefined ? [] : [decimal(v.value)]) : [decimal(v)]), uri: (v) => (typeof v === 'string' ? [v] : []) };

// Expressions that fhirpath.js has no way for, told plainly.
function plain(expression, type) {
  const own = expression.split('|').map((e) => e.trim()).filter((e) => e.replace(/^\(+/, '').startsWith(`${type}.`));
  let target;
  const text = own.map((e) => e.replace(/\.where\(resolve\(\) is (\w+)\)/g, (_, t) => { target = t; return ''; }).replace(/\.as\((DateTime|Date|String|Boolean|Integer|Decimal|Instant|Uri|Code)\)/g, (_, t) => `.as(${t[0].toLowerCase()}${t.slice(1)})`).replace(/\.as\((\w+)\)/g, (_, t) => `.ofType(${t})`).replace(/\(([A-Za-z.]+) as (\w+)\)/g, (_, p, t) => `(${p}.ofType(${t}))`).replace(/^([A-Za-z.]+) as (\w+)$/, (_, p, t) => `${p}.ofType(${t})`)).join(' | ');
  return text && { text, target };
}

// The same of an expression below an element.
const below = (expression) => expression.replace(/\.as\((\w+)\)/g, (_, t) => `.ofType(${/^(DateTime|Date|String|Boolean|Integer|Decimal|Instant|Uri|Code)$/.test(t) ? t[0].toLowerCase() + t.slice(1) : t})`).replace(/\(?([A-Za-z.]+) as (\w+)\)?/g, (_, p, t) => `${p}.ofType(${t})`);

// A composite: for each element that it stands on, its parts' values there.
function composite(p, type, release, kinds) {
  const bases = (p.expression ?? '').split('|').map((e) => e.trim().replace(/^\((.*)\)$/, '$1')).filter((e) => e === type || e.startsWith(`${type}.`));
  const parts = (p.component ?? []).map((c) => ({ kind: kinds.get(c.definition?.reference ?? c.definition), expression: below(c.expression) }));
  if (!bases.length || parts.length < 2 || parts.some((c) => !readers[c.kind] || /resolve|extension|context/.test(c.expression))) return undefined;
  const runs = bases.map((base) => ({ elements: fhirpath.compile(base, models[release]), parts: parts.map((c) => fhirpath.compile({ base, expression: c.expression }, models[release])) }));
  return (resource) => runs.flatMap(({ elements, parts: each }) => elements(resource).map((element) => parts.map((c, i) => ({ kind: c.kind, values: read(c.kind, each[i](element)) }))));
}

// What every resource has.
const everywhere = [
  { code: '_lastUpdated', kind: 'date', expression: 'meta.lastUpdated' }, { code: '_tag', kind: 'token', expression: 'meta.tag' },
  { code: '_security', kind: 'token', expression: 'meta.security' }, { code: '_profile', kind: 'uri', expression: 'meta.profile' },
];

// Told otherwise than by an expression: near (a place), deceased (a date means
// true), activity-date (a text is no date).
const apart = new Set(['near', 'near-distance', 'deceased', 'activity-date', 'activitydate', 'onset-info', 'abatement-info', 'udi-carrier']);

// The official parameters of a release that the oracle can tell: by type.
export function parameters(release, shared) {
  const all = JSON.parse(readFileSync(join(shared, 'fhir', release, 'search-parameters.json'))).searchParameters;
  const out = new Map();
  const skipped = [];
  types.clear();
  for (const p of all) for (const type of p.base) types.add(type);
  // One element, several parameters by the type that it points to.
  const shares = new Map();
  for (const p of all) for (const type of p.base) { const key = `${type} ${p.expression ?? p.path}`; shares.set(key, 1 + (shares.get(key) ?? 0)); }
  const kinds = new Map(all.map((p) => [p.url, p.type]));
  for (const p of all)
    for (const type of p.base) {
      if (p.type === 'composite' || (p.code === 'near' && release === 'r4')) {
        let told;
        try {
          told = p.code === 'near' ? (r) => (r.position ? [[r.position.latitude, r.position.longitude]] : []) : composite(p, type, release, kinds);
        } catch { /* told below */ }
        if (!told) { skipped.push(`${type}.${p.code}`); continue; }
        if (!out.has(type)) out.set(type, []);
        out.get(type).push({ code: p.code, kind: p.code === 'near' ? 'place' : 'composite', told, expression: p.expression });
        continue;
      }
      if (release === 'r4' && type === 'Immunization' && p.code === 'date') { // occurrenceString is no date, whatever it says
        out.set(type, [...(out.get(type) ?? []), { code: 'date', kind: 'date', told: (r) => dates(r.occurrenceDateTime ?? {}), expression: 'Immunization.occurrence' }]);
        continue;
      }
      const expression = p.expression ?? p.path;
      const way = expression && readers[p.type] && plain(expression.replace(/\[x\]/g, ''), type);
      let run;
      try {
        run = way && !/extension|hasExtension/.test(way.text) && fhirpath.compile(way.text, models[release]);
      } catch { /* told below */ }
      const only = p.type !== 'reference' ? undefined : p.code === 'patient' ? 'Patient' : p.target?.length === 1 && shares.get(`${type} ${expression}`) > 1 ? p.target[0] : undefined;
      if (!run || p.code.startsWith('_') || apart.has(p.code) || /\.is\(/.test(expression) || /\bexists\(\)|!= ?false/.test(expression)) {
        skipped.push(`${type}.${p.code}`);
        continue;
      }
      if (!out.has(type)) out.set(type, []);
      out.get(type).push({ code: p.code, kind: p.type, run, target: way.target ?? only, expression: way.text });
    }
  for (const [type, own] of out)
    for (const p of everywhere) own.push({ ...p, run: fhirpath.compile(`${type}.${p.expression}`, models[release]) });
  return { byType: out, skipped };
}

// What fhirpath.js found as values of a kind; throws for a form it cannot tell.
function read(kind, found) {
  return found.map((v) => (v && typeof v === 'object' && v.constructor?.name?.startsWith('FP_') ? (kind === 'quantity' ? undefined : v.asStr ?? v.toString()) : v)).filter((v) => v !== undefined).flatMap((v) => readers[kind](v));
}

// A canonical, uri or reference to any URL is a reference that has no type.
export function extract(resource, param) {
  let values;
  try {
    if (param.told) return param.told(resource);
    const found = param.run(resource);
    if (param.kind === 'reference' && found.some((v) => typeof v === 'string')) return undefined;
    values = read(param.kind, found);
  } catch {
    return undefined; // a form that it cannot tell
  }
  return param.target ? values.filter((v) => v.type === param.target) : values;
}
