// The record that is searched: HL7's examples, patients of ../shared/data
// (ALL=1: every one of them, in one record), and made resources for what those
// have little of.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { shared } from '../support/programs.mjs';

const unpack = (file) => gunzipSync(readFileSync(file)).toString();
const unfit = ['AuditEvent', 'Bundle', 'Subscription']; // AuditEvents are ours, Subscriptions would begin
const ucum = 'http://unitsofmeasure.org';
const amounts = [['mg', 2500], ['g', 2.5], ['kg', 0.0025], ['mg/dL', 98], ['g/L', 0.98], ['mmol/L', 5.4], ['umol/L', 5400], ['min', 90], ['h', 1.5], ['s', 5400], ['cm', 180], ['m', 1.8], ['mm', 1800.5], ['mm[Hg]', 120], ['kPa', 16]];

export function made(chance, release) {
  const out = [];
  const add = (resourceType, id, rest) => out.push({ resourceType, id: `made-${id}`, ...rest });
  for (let i = 0; i < 20; i++) {
    const kind = [{ coding: [{ system: 'http://oracle.example/kinds', code: i % 2 ? 'MR' : 'SS' }], text: 'Record number' }];
    add('Patient', `p${i}`, {
      identifier: [{ system: `http://oracle.example/ids/${i % 3}`, value: `N-${i % 7}`, type: kind[0] }, { system: 'http://oracle.example/other', value: `N-${i % 5}`, type: kind[0] }],
      name: [{ family: `Fluß${i % 4}`, given: ['Ágnes', `Nr ${i}`] }], gender: i % 3 ? 'female' : 'male', birthDate: `19${50 + i}-0${1 + (i % 9)}`,
      meta: { tag: [{ system: 'http://oracle.example/tags', code: `t${i % 4}` }], security: [{ system: 'http://oracle.example/labels', code: i % 2 ? 'R' : 'N' }], profile: [`http://oracle.example/profiles/${i % 3}`] },
    });
    add('Encounter', `e${i}`, { status: 'finished', class: release === 'dstu2' ? 'inpatient' : { code: 'IMP' }, [release === 'r4' || release === 'stu3' ? 'subject' : 'patient']: { reference: `Patient/made-p${i}` }, period: { start: `2020-0${1 + (i % 9)}-10`, end: `2020-0${1 + (i % 9)}-${12 + i % 9}` }, location: [{ location: { reference: `Location/made-l${i % 12}` } }] });
  }
  for (let i = 0; i < 40; i++)
    add('Location', `l${i}`, { name: `Ward ${i}`, position: { latitude: Number((40 + chance.next() * 4).toFixed(4)), longitude: Number((-75 + chance.next() * 4).toFixed(4)) }, ...(i > 3 ? { partOf: { reference: `Location/made-l${i % 4}` } } : {}) });
  for (let i = 0; i < 90; i++) {
    const [code, base] = chance.pick(amounts);
    const value = Number((base * (1 + chance.below(5) / 4)).toPrecision(3));
    add('Observation', `o${i}`, {
      status: 'final', code: { coding: [{ system: 'http://oracle.example/codes', code: `c${i % 9}`, display: `Measure ${i % 9}` }] }, subject: { reference: `Patient/made-p${i % 20}` },
      ...(release === 'r4' ? { performer: [{ identifier: { system: 'http://oracle.example/staff', value: `S${i % 6}` } }] } : {}),
      encounter: release === 'stu3' ? undefined : { reference: `Encounter/made-e${i % 20}` }, context: release === 'stu3' ? { reference: `Encounter/made-e${i % 20}` } : undefined,
      effectiveDateTime: `202${i % 6}-0${1 + (i % 9)}-1${i % 10}T08:0${i % 10}:00Z`, valueQuantity: { value, unit: code, system: ucum, code },
      component: [0, 1].map((k) => ({ code: { coding: [{ system: 'http://oracle.example/parts', code: `k${(i + k) % 4}` }] }, valueQuantity: { value: 10 * ((i + k) % 7), unit: 'u', system: 'http://oracle.example/units', code: 'u' } })),
    });
  }
  for (let i = 0; i < 5; i++) {
    const codes = Array.from({ length: 1 + i }, (_, k) => ({ code: `c${(2 * i + k) % 9}` }));
    add('ValueSet', `v${i}`, { url: `http://oracle.example/vs/${i}`, status: 'active', ...(release === 'dstu2' ? { name: `vs${i}` } : {}), compose: { include: [{ system: 'http://oracle.example/codes', concept: codes }] } });
    add('List', `i${i}`, { status: 'current', mode: 'working', entry: Array.from({ length: 12 }, (_, k) => ({ item: { reference: k % 2 ? `Observation/made-o${(i * 7 + k * 3) % 90}` : `Patient/made-p${(i * 5 + k) % 20}` } })) });
  }
  return JSON.parse(JSON.stringify(out));
}

export function resources(chance, release) {
  const out = made(chance, release);
  out.push(...unpack(join(shared, 'fhir', release, 'examples.ndjson.gz')).trim().split('\n').map((l) => JSON.parse(l)));
  const folder = join(shared, 'patients', release);
  for (const f of existsSync(folder) ? readdirSync(folder).filter((n) => n.endsWith('.json.gz')).sort() : []) {
    if (!process.env.ALL && out.length > 2700) break;
    const { entry = [] } = JSON.parse(unpack(join(folder, f)));
    if (process.env.ALL || entry.length <= 600) out.push(...entry.map((e) => e.resource));
  }
  const seen = new Set();
  return out.filter((r) => {
    const key = `${r?.resourceType}/${r?.id}`;
    const is = r?.id && !unfit.includes(r.resourceType) && !seen.has(key) && /^[A-Za-z0-9.-]{1,64}$/.test(r.id);
    seen.add(key);
    return is;
  });
}

// Puts them there; gives what the server holds.
export async function fill(world, user, release, all, log) {
  for (let i = 0; i < all.length; i += 200) {
    const entry = all.slice(i, i + 200).map((resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
    const answer = await world.send(user, 'POST', `/${release}`, { resourceType: 'Bundle', type: 'batch', entry });
    const bad = answer.body.entry?.filter((e) => !/^20/.test(e.response.status)) ?? [];
    if (answer.status !== 200 || bad.length) log(`${release}: ${bad.length} of ${entry.length} refused: ${JSON.stringify(bad[0] ?? answer.body).slice(0, 300)}`);
  }
  return world.all(user, `/${release}/Patient/$everything?_count=1000`);
}
