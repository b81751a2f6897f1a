// $validate: HL7's own examples are sound, and what is broken in them is found
// where it was broken.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { World } from '../support/world.mjs';
import { shared } from '../support/programs.mjs';

let world, user;
before(async () => {
  world = await World.start();
  user = await world.user('validator');
});
after(async () => { await world?.stop(); });

const validate = async (release, resource) => {
  const answer = await world.send(user, 'POST', `/${release}/${resource.resourceType}/$validate`, resource);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.issue.filter((i) => i.severity === 'error');
};
const examples = (release) => gunzipSync(readFileSync(join(shared, 'fhir', release, 'examples.ndjson.gz'))).toString().trim().split('\n').map((l) => JSON.parse(l));
const there = existsSync(join(shared, 'fhir/r4/examples.ndjson.gz'));

// Examples that break their own release's rules, as HL7 published them.
const broken = {
  r4: ['DeviceMetric/example' /* a reference to a DeviceDefinition */, 'DeviceUseStatement/example' /* to a Procedure */, 'MedicationRequest/medrx0301' /* to a Practitioner */, 'Observation/clinical-gender' /* to an Encounter */, 'Questionnaire/qs1' /* items without linkId */],
  stu3: ['Claim/960151' /* a code of another system */, 'Questionnaire/qs1'],
  // codes that are not in v3-ActInvoiceGroupCode and encounter-participant-type; a #reference with nothing behind
  dstu2: ['Appointment/example', 'Appointment/examplereq', 'AppointmentResponse/exampleresp', 'Claim/100150', 'Claim/100151', 'Claim/100152', 'Claim/100153', 'Claim/660150', 'Claim/660151', 'Claim/760150', 'Claim/860150', 'Claim/960150', 'List/prognosis'],
};

for (const release of ['r4', 'stu3', 'dstu2'])
  test(`the official examples of ${release} are sound`, { skip: there ? false : 'no ../shared/data' }, async () => {
    const bad = new Map();
    let n = 0;
    const all = examples(release);
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let r; (r = all.pop());) {
        n++;
        const errors = await validate(release, r);
        for (const e of errors) {
          const text = `${e.code} ${(e.expression ?? e.location)[0].replace(/\[\d+\]/g, '')}: ${e.details.text}`;
          bad.set(text, [...(bad.get(text) ?? []), `${r.resourceType}/${r.id}`]);
        }
      }
    }));
    const lines = [...bad].map(([text, at]) => `${text} (${at.length}: ${at.slice(0, 3).join()})`);
    assert.ok(n > 100);
    assert.deepEqual([...new Set([...bad.values()].flat())].sort(), broken[release], lines.join('\n'));
  });

const sound = { resourceType: 'Observation', id: 'o', status: 'final', code: { coding: [{ system: 'urn:c', code: 'x' }] }, subject: { reference: 'Patient/p' }, effectiveDateTime: '2020-02-29T10:00:00Z', valueQuantity: { value: 1.5, unit: 'mg' }, performer: [{ reference: 'Practitioner/1' }] };
for (const [what, code, place, change] of [
  ['a mandatory element is missing', 'required', 'Observation.status', (o) => { delete o.status; }],
  ['an unknown element', 'structure', 'Observation.shoe', (o) => { o.shoe = 44; }],
  ['a code outside a required set', 'code-invalid', 'Observation.status', (o) => { o.status = 'perhaps'; }],
  ['a date that is none', 'value', 'Observation.effectiveDateTime', (o) => { o.effectiveDateTime = '2021-02-29'; }],
  ['a number as text', 'structure', 'Observation.valueQuantity.value', (o) => { o.valueQuantity.value = '1.5'; }],
  ['two kinds of one choice', 'structure', 'Observation', (o) => { o.valueString = 'x'; }],
  ['one where a list belongs', 'structure', 'Observation.performer', (o) => { o.performer = o.performer[0]; }],
  ['a list where one belongs', 'structure', 'Observation.subject', (o) => { o.subject = [o.subject]; }],
  ['a reference to a wrong type', 'structure', 'Observation.performer[0]', (o) => { o.performer[0].reference = 'Medication/1'; }],
  ['an empty object', 'structure', 'Observation.code', (o) => { o.code = {}; }],
  ['an empty list', 'structure', 'Observation.performer', (o) => { o.performer = []; }],
  ['a value and a reason for none', 'invariant', 'Observation', (o) => { o.dataAbsentReason = { text: 'x' }; }],
  ['a contained resource that is not there', 'invariant', 'Observation.subject', (o) => { o.subject.reference = '#x'; }],
  ['a period that ends before it starts', 'invariant', 'Observation.effectivePeriod', (o) => { delete o.effectiveDateTime; o.effectivePeriod = { start: '2021', end: '2020' }; }],
])
  test(`found: ${what}`, async () => {
    const o = structuredClone(sound);
    assert.deepEqual(await validate('r4', o), []);
    change(o);
    const errors = await validate('r4', o);
    assert.ok(errors.some((e) => e.code === code && e.expression[0] === place), JSON.stringify(errors));
  });

test('of what is stored, in Parameters, with a profile; errors of the request itself', async () => {
  await world.send(user, 'PUT', '/r4/Observation/o', { ...sound, status: 'perhaps' });
  assert.equal((await world.get(user, '/r4/Observation/o/$validate')).body.issue[0].code, 'code-invalid');
  const answer = await world.send(user, 'POST', '/r4/Observation/$validate', { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: sound }, { name: 'profile', valueUri: 'http://x.test/p' }] });
  assert.ok(answer.body.issue.some((i) => i.details.text.includes('http://x.test/p')));
  assert.equal((await world.send(user, 'POST', '/r4/Observation/$validate')).status, 400);
  assert.equal((await world.get(user, '/r4/Observation/nobody/$validate')).status, 404);
});
