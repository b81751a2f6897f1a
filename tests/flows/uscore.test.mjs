// US Core's search combinations (fhir-behaviour 4.1), R4: of each type one
// resource for every mixture of two values of each parameter; each combination
// has to find exactly those that have what was asked.  POST _search finds the
// same, dates also by gt, ge, lt and le, and codes by system|code.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

let world, user;
before(async () => {
  world = await World.start({ server: ['--access-log', 'off'] });
  user = await world.user('uscore');
});
after(async () => { await world?.stop(); });

const S = 'urn:codes';
const concept = (code) => ({ coding: [{ system: S, code }] });
const ref = (type, id) => ({ reference: `${type}/${id}` });
const days = ['2020-03-04', '2021-05-06'];
// A parameter: two values as searched, and as set into the resource.
const patient = (member = 'subject') => ({ values: ['p0', 'p1'], set: (r, i) => { r[member] = ref('Patient', `p${i}`); } });
const code = (values, set) => ({ values, set: (r, i) => set(r, values[i]), token: true });
const coded = (member, list = false) => ({ values: [`${member}0`, `${member}1`], set: (r, i) => { r[member] = list ? [concept(`${member}${i}`)] : concept(`${member}${i}`); }, system: S });
const status = (a, b, member = 'status') => code([a, b], (r, v) => { r[member] = v; });
const date = (set) => ({ values: days, set: (r, i) => set(r, days[i]), date: true });
const to = (type, set) => ({ values: ['x0', 'x1'], set: (r, i) => set(r, ref(type, `x${i}`)) });
const text = (values, set) => ({ values, set: (r, i) => set(r, values[i]) });

const types = {
  AllergyIntolerance: { params: { patient: patient('patient'), 'clinical-status': coded('clinicalStatus') }, combos: ['patient', 'patient clinical-status'] },
  CarePlan: { more: { intent: 'plan' }, params: { patient: patient(), category: coded('category', true), status: status('active', 'completed'), date: date((r, v) => { r.period = { start: v, end: v }; }) }, combos: ['patient category', 'patient category status', 'patient category date', 'patient category status date'] },
  CareTeam: { params: { patient: patient(), status: status('active', 'inactive'), role: { values: ['r0', 'r1'], set: (r, i) => { r.participant = [{ role: [concept(`r${i}`)], member: ref('Practitioner', 'dr') }]; }, system: S } }, combos: ['patient status', 'patient role'] },
  Condition: { params: { patient: patient(), category: coded('category', true), 'clinical-status': coded('clinicalStatus'), code: coded('code'), encounter: to('Encounter', (r, v) => { r.encounter = v; }), 'onset-date': date((r, v) => { r.onsetDateTime = v; }), 'asserted-date': date((r, v) => { r.extension = [{ url: 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate', valueDateTime: v }]; }), 'recorded-date': date((r, v) => { r.recordedDate = v; }) }, combos: ['patient', 'patient category', 'patient clinical-status', 'patient onset-date', 'patient asserted-date', 'patient recorded-date', 'patient category clinical-status', 'patient category encounter', 'patient code'] },
  Coverage: { more: { status: 'active', payor: [ref('Organization', 'org')] }, params: { patient: patient('beneficiary') }, combos: ['patient'] },
  Device: { params: { patient: patient('patient'), type: coded('type'), status: status('active', 'inactive') }, combos: ['patient', 'patient type', 'patient status'] },
  DiagnosticReport: { params: { patient: patient(), category: coded('category', true), code: coded('code'), status: status('final', 'partial'), date: date((r, v) => { r.effectiveDateTime = v; }) }, combos: ['patient', 'patient category', 'patient category date', 'patient code', 'patient status', 'patient code date'] },
  DocumentReference: { more: { content: [{ attachment: { contentType: 'text/plain' } }] }, params: { patient: patient(), type: coded('type'), category: coded('category', true), status: status('current', 'superseded'), date: date((r, v) => { r.date = `${v}T10:00:00Z`; }), period: date((r, v) => { r.context = { period: { start: v, end: v } }; }) }, combos: ['patient', 'patient type', 'patient category', 'patient category date', 'patient status', 'patient type period'] },
  Encounter: { params: { patient: patient(), class: { values: ['AMB', 'EMER'], set: (r, i) => { r.class = { system: S, code: ['AMB', 'EMER'][i] }; }, system: S }, type: coded('type', true), status: status('finished', 'planned'), date: date((r, v) => { r.period = { start: v, end: v }; }), location: to('Location', (r, v) => { r.location = [{ location: v }]; }), 'discharge-disposition': { values: ['d0', 'd1'], set: (r, i) => { r.hospitalization = { dischargeDisposition: concept(`d${i}`) }; }, system: S } }, combos: ['patient', 'patient discharge-disposition', 'date patient', 'class patient', 'patient type', 'patient status', 'patient location'] },
  Goal: { params: { patient: patient(), description: coded('description'), 'lifecycle-status': status('active', 'completed', 'lifecycleStatus'), 'target-date': date((r, v) => { r.target = [{ dueDate: v }]; }) }, combos: ['patient', 'patient target-date', 'patient lifecycle-status', 'patient description'] },
  Immunization: { more: { vaccineCode: concept('v') }, params: { patient: patient('patient'), status: status('completed', 'not-done'), date: date((r, v) => { r.occurrenceDateTime = v; }) }, combos: ['patient', 'patient date', 'patient status'] },
  Location: { params: { name: text(['North', 'South'], (r, v) => { r.name = v; }), 'address-city': text(['Ulm', 'Bonn'], (r, v) => { r.address = { ...r.address, city: v }; }), 'address-state': text(['MA', 'NY'], (r, v) => { r.address = { ...r.address, state: v }; }), 'address-postalcode': text(['02139', '10001'], (r, v) => { r.address = { ...r.address, postalCode: v }; }) }, combos: ['name', 'address-city', 'address-state', 'address-postalcode'], also: [['address=Ulm', 'address-city', 0]] },
  MedicationDispense: { params: { patient: patient(), status: status('completed', 'stopped'), type: coded('type') }, combos: ['patient', 'patient status', 'patient status type'] },
  MedicationRequest: { more: { medicationCodeableConcept: concept('m') }, params: { patient: patient(), intent: status('order', 'plan', 'intent'), status: status('active', 'stopped'), encounter: to('Encounter', (r, v) => { r.encounter = v; }), authoredon: date((r, v) => { r.authoredOn = v; }) }, combos: ['patient intent', 'patient intent status', 'patient intent encounter', 'patient intent authoredon'] },
  Observation: { params: { patient: patient(), category: coded('category', true), code: coded('code'), status: status('final', 'amended'), date: date((r, v) => { r.effectiveDateTime = v; }) }, combos: ['patient category', 'patient category date', 'patient code', 'patient code date', 'patient category status'] },
  Organization: { params: { name: text(['Clinic', 'Lab'], (r, v) => { r.name = v; }), address: text(['Ulm', 'Bonn'], (r, v) => { r.address = [{ city: v }]; }) }, combos: ['name', 'address'] },
  Patient: { params: { identifier: { values: ['1', '2'], set: (r, i) => { r.identifier = [{ system: S, value: ['1', '2'][i] }]; }, system: S }, family: text(['Brook', 'Rivers'], (r, v) => { r.name = [{ ...r.name?.[0], family: v }]; }), birthdate: date((r, v) => { r.birthDate = v; }), gender: status('female', 'male', 'gender'), 'death-date': date((r, v) => { r.deceasedDateTime = v; }) }, combos: ['identifier', 'family', 'birthdate family', 'gender family', 'death-date family'], also: [['name=brook', 'family', 0]] },
  Practitioner: { params: { name: text(['Strange', 'Who'], (r, v) => { r.name = [{ family: v }]; }), identifier: { values: ['1', '2'], set: (r, i) => { r.identifier = [{ system: S, value: ['1', '2'][i] }]; }, system: S } }, combos: ['name', 'identifier'] },
  PractitionerRole: { params: { specialty: coded('specialty', true), practitioner: { values: ['Practitioner/practitioner-0', 'Practitioner/practitioner-3'], set: (r, i) => { r.practitioner = { reference: ['Practitioner/practitioner-0', 'Practitioner/practitioner-3'][i] }; } } }, combos: ['specialty', 'practitioner'], also: [['practitioner.name=strange', 'practitioner', 0], ['practitioner.identifier=urn:codes|2', 'practitioner', 1]] },
  Procedure: { params: { patient: patient(), status: status('completed', 'stopped'), code: coded('code'), date: date((r, v) => { r.performedDateTime = v; }) }, combos: ['patient', 'patient date', 'patient status', 'patient code date'] },
  QuestionnaireResponse: { params: { patient: patient(), status: status('completed', 'amended'), authored: date((r, v) => { r.authored = `${v}T10:00:00Z`; }), questionnaire: text(['http://x.test/q1', 'http://x.test/q2'], (r, v) => { r.questionnaire = v; }) }, combos: ['patient', 'patient questionnaire', 'patient authored', 'patient status'] },
  RelatedPerson: { params: { patient: patient('patient'), name: text(['Wilma', 'Fred'], (r, v) => { r.name = [{ given: [v] }]; }) }, combos: ['patient', 'name', 'patient name'] },
  ServiceRequest: { more: { intent: 'order' }, params: { patient: patient(), status: status('active', 'completed'), category: coded('category', true), code: coded('code'), authored: date((r, v) => { r.authoredOn = v; }) }, combos: ['patient', 'patient category', 'patient category authored', 'patient code', 'patient status', 'patient code authored'] },
  Specimen: { params: { patient: patient() }, combos: ['patient'] },
};

const found = async (type, query) => {
  const answer = await world.get(user, `/r4/${type}?_count=1000&${query}`, { Prefer: 'handling=strict' });
  assert.equal(answer.status, 200, `${query}: ${answer.text.slice(0, 200)}`);
  const form = await fetch(`${world.base}/r4/${type}/_search`, { method: 'POST', headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/x-www-form-urlencoded' }, body: `_count=1000&${query}` });
  assert.equal((await form.json()).total, answer.body.total, `${query}: POST finds as many`);
  return answer.body.entry.map((e) => e.resource.id).sort();
};

for (const [type, { params, combos, more = {}, also = [] }] of Object.entries(types))
  test(`${type}: ${combos.join(', ')}`, async () => {
    const names = Object.keys(params);
    const made = [];
    for (let bits = 0; bits < 1 << names.length; bits++) {
      const r = { resourceType: type, id: `${type.toLowerCase()}-${bits}`, ...structuredClone(more) };
      const mix = Object.fromEntries(names.map((name, k) => [name, (bits >> k) & 1]));
      for (const name of names) params[name].set(r, mix[name]);
      made.push({ id: r.id, mix, r });
    }
    const answer = await world.send(user, 'POST', '/r4', { resourceType: 'Bundle', type: 'batch', entry: made.map(({ r }) => ({ resource: r, request: { method: 'PUT', url: `${type}/${r.id}` } })) });
    assert.ok(answer.body.entry.every((e) => e.response.status.startsWith('201')), answer.text.slice(0, 300));
    const those = (holds) => made.filter(({ mix }) => holds(mix)).map(({ id }) => id).sort();
    for (const combo of combos) {
      const asked = combo.split(' ');
      for (const side of [0, 1]) {
        const query = asked.map((name) => `${name}=${encodeURIComponent(params[name].values[side])}`).join('&');
        const expected = those((mix) => asked.every((name) => mix[name] === side));
        assert.deepEqual(await found(type, query), expected, query);
        if (params[asked[0]].values[0] === 'p0') assert.deepEqual(await found(type, query.replace('patient=', 'patient=Patient/')), expected);
        const last = asked.at(-1), p = params[last];
        if (p.system) assert.deepEqual(await found(type, query.replace(`${last}=`, `${last}=${encodeURIComponent(`${p.system}|`)}`)), expected, `${last} with its system`);
        if (p.token) assert.deepEqual(await found(type, query.replace(`${last}=${p.values[side]}`, `${last}=${p.values.join()}`)), those((mix) => asked.every((name) => name === last || mix[name] === side)), `${last} by comma`);
        if (p.date)
          for (const [prefix, sides] of [['gt', [1]], ['ge', [0, 1]], ['lt', []], ['le', [0]]])
            assert.deepEqual(await found(type, query.replace(`${last}=${p.values[side]}`, `${last}=${prefix}${days[0]}`)), those((mix) => asked.every((name) => (name === last ? sides.includes(mix[name]) : mix[name] === side))), `${last}=${prefix}`);
      }
    }
    for (const [query, name, side] of also) assert.deepEqual(await found(type, query), those((mix) => mix[name] === side), query);
  });

test('includes: the medication of a request, the members of a team, Provenance', async () => {
  await world.send(user, 'PUT', '/r4/Medication/m', { resourceType: 'Medication', id: 'm' });
  await world.send(user, 'PUT', '/r4/Practitioner/dr', { resourceType: 'Practitioner', id: 'dr' });
  await world.send(user, 'PUT', '/r4/MedicationRequest/mr', { resourceType: 'MedicationRequest', id: 'mr', status: 'active', intent: 'order', subject: ref('Patient', 'p9'), medicationReference: ref('Medication', 'm') });
  await world.send(user, 'PUT', '/r4/CareTeam/ct', { resourceType: 'CareTeam', id: 'ct', status: 'active', subject: ref('Patient', 'p9'), participant: [{ member: ref('Practitioner', 'dr') }] });
  await world.send(user, 'PUT', '/r4/Provenance/prov', { resourceType: 'Provenance', id: 'prov', target: [ref('CareTeam', 'ct')], recorded: '2020-01-01T00:00:00Z', agent: [{ who: { display: 'x' } }] });
  const included = async (path) => (await world.get(user, path)).body.entry.filter((e) => e.search.mode === 'include').map((e) => e.resource.id).sort();
  assert.deepEqual(await included('/r4/MedicationRequest?patient=p9&intent=order&_include=MedicationRequest:medication'), ['m']);
  assert.deepEqual(await included('/r4/CareTeam?patient=p9&status=active&_include=CareTeam:participant:Practitioner&_revinclude=Provenance:target'), ['dr', 'prov']);
});
