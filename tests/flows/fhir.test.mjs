// The FHIR API on a user's own resources: writes, reads, search, history,
// transactions, paging, the manners of each release.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

let world, user;
before(async () => {
  world = await World.start();
  user = await world.user('writer');
});
after(async () => { await world?.stop(); });

const observation = (n, extra = {}) => ({
  resourceType: 'Observation', status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: n % 2 ? '8867-4' : '8480-6', display: n % 2 ? 'Heart rate' : 'Systolic' }] },
  effectiveDateTime: `2020-01-${String((n % 28) + 1).padStart(2, '0')}T10:00:00Z`,
  valueQuantity: { value: 60 + n, unit: '/min' }, ...extra,
});

test('create, read, update, history, vread, delete in R4', async () => {
  const made = await world.send(user, 'POST', '/r4/Patient', { resourceType: 'Patient', id: 'mine', gender: 'female', extension: [{ url: 'http://x.test/y', valueDecimal: 1.5 }] });
  assert.equal(made.status, 201);
  assert.notEqual(made.body.id, 'mine', 'R4: the server gives ids');
  assert.equal(made.body.meta.versionId, '9000000000000');
  const path = `/r4/Patient/${made.body.id}`;
  const read = await world.get(user, path);
  assert.deepEqual(read.body, made.body);
  assert.equal(read.headers.get('etag'), 'W/"9000000000000"');
  const changed = await world.send(user, 'PUT', path, { ...made.body, gender: 'male' }, { 'If-Match': 'W/"9000000000000"' });
  assert.equal(changed.status, 200);
  assert.equal(changed.body.meta.versionId, '9000000000001');
  const stale = await world.send(user, 'PUT', path, { ...made.body, gender: 'other' }, { 'If-Match': 'W/"9000000000000"' });
  assert.equal(stale.status, 412);
  assert.equal(stale.body.resourceType, 'OperationOutcome');
  assert.equal((await world.get(user, `${path}/_history/9000000000000`)).body.gender, 'female');
  assert.equal((await world.send(user, 'DELETE', path)).status, 200);
  assert.equal((await world.get(user, path)).status, 410);
  const history = await world.get(user, `${path}/_history`);
  assert.deepEqual(history.body.entry.map((e) => e.request.method), ['DELETE', 'PUT', 'PUT']);
  assert.equal((await world.get(user, '/r4/Patient?gender=male')).body.total, 0);
});

test('numbers keep their digits', async () => {
  const text = '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}';
  const made = await fetch(`${world.base}/r4/Observation`, { method: 'POST', body: text, headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/fhir+json' } });
  const body = await made.text();
  assert.ok(body.includes('"value":1.00'));
  const id = JSON.parse(body).id;
  assert.ok((await world.get(user, `/r4/Observation/${id}`)).text.includes('"value":1.00'));
});

test('DSTU2 keeps the ids of POST and takes forms', async () => {
  const made = await fetch(`${world.base}/fhir/dstu2/patient`, {
    method: 'POST', headers: { Authorization: `Bearer ${user.token}` },
    body: new URLSearchParams({ resourceType: 'Patient', id: 'helloiamatestpatient', gender: 'female' }),
  });
  const body = await made.json();
  assert.equal(made.status, 201);
  assert.equal(body.id, 'helloiamatestpatient');
  const read = await world.get(user, '/fhir/DSTU2/Patient/helloiamatestpatient');
  assert.deepEqual(read.body, body);
});

test('a type of another release is an empty set in STU3 and an error in R4', async () => {
  const old = await world.get(user, '/fhir/stu3/MedicationOrder');
  assert.equal(old.status, 200);
  assert.deepEqual(old.body, { resourceType: 'Bundle', type: 'searchset', total: 0, entry: [] });
  assert.equal((await world.get(user, '/r4/MedicationOrder')).status, 404);
  assert.equal((await world.get(user, '/r4/observation')).status, 404);
});

test('a transaction is all or nothing and its references are rewritten', async () => {
  const other = await world.user('transactions');
  const bundle = {
    resourceType: 'Bundle', type: 'transaction', entry: [
      { fullUrl: 'urn:uuid:1', resource: { resourceType: 'Patient', name: [{ family: 'Berg' }] }, request: { method: 'POST', url: 'Patient' } },
      { fullUrl: 'urn:uuid:2', resource: observation(1, { subject: { reference: 'urn:uuid:1' } }), request: { method: 'POST', url: 'Observation' } },
    ],
  };
  const done = await world.send(other, 'POST', '/r4', bundle);
  assert.equal(done.status, 200);
  assert.deepEqual(done.body.entry.map((e) => e.response.status), ['201 Created', '201 Created']);
  const [found] = await world.all(other, '/r4/Observation');
  const [patient] = await world.all(other, '/r4/Patient');
  assert.equal(found.subject.reference, `Patient/${patient.id}`);
  const broken = structuredClone(bundle);
  broken.entry.push({ resource: { resourceType: 'Observation' }, request: { method: 'POST', url: 'Patient' } });
  const refused = await world.send(other, 'POST', '/r4', broken);
  assert.equal(refused.status, 400);
  assert.match(refused.body.issue[0].diagnostics, /entry\[2\]/);
  assert.equal((await world.get(other, '/r4/Patient')).body.total, 1, 'nothing of the broken one was kept');
});

test('search: token, date, string, reference, and, or, sort, paging', async () => {
  const other = await world.user('searcher');
  const entry = [{ fullUrl: 'urn:uuid:p', resource: { resourceType: 'Patient', name: [{ family: 'Åberg', given: ['Zoë'] }], birthDate: '1970-03-02' }, request: { method: 'POST', url: 'Patient' } }];
  for (let n = 0; n < 57; n++) entry.push({ fullUrl: `urn:uuid:${n}`, resource: observation(n, { subject: { reference: 'urn:uuid:p' } }), request: { method: 'POST', url: 'Observation' } });
  assert.equal((await world.send(other, 'POST', '/r4', { resourceType: 'Bundle', type: 'transaction', entry })).status, 200);
  const total = async (query) => (await world.get(other, `/r4/${query}`)).body.total;
  const [patient] = await world.all(other, '/r4/Patient');
  assert.equal(await total('Observation?code=8867-4'), 28);
  assert.equal(await total('Observation?code=http://loinc.org|8867-4'), 28);
  assert.equal(await total('Observation?code=http://other.test|8867-4'), 0);
  assert.equal(await total('Observation?code=8867-4,8480-6'), 57);
  assert.equal(await total('Observation?code=8867-4&status=preliminary'), 0);
  assert.equal(await total('Observation?date=2020-01-01'), 3);
  assert.equal(await total('Observation?date=ge2020-01-28'), 2);
  assert.equal(await total('Observation?date=lt2020-01-02&date=gt2019-12-31'), 3);
  assert.equal(await total(`Observation?patient=${patient.id}`), 57);
  assert.equal(await total(`Observation?subject=Patient/${patient.id}`), 57);
  assert.equal(await total('Observation?subject=Patient/nobody'), 0);
  assert.equal(await total('Patient?family=aberg'), 1, 'accents and case do not count');
  assert.equal(await total('Patient?name=zoe'), 1);
  assert.equal(await total('Patient?name:exact=zoe'), 0);
  assert.equal(await total('Patient?birthdate=1970'), 1);
  assert.equal(await total(`Patient?_id=${patient.id},x`), 1);
  assert.equal(await total('Observation?_lastUpdated=gt2999'), 0);
  const pages = await world.all(other, '/r4/Observation?code=8867-4&_count=10');
  assert.equal(new Set(pages.map((r) => r.id)).size, 28);
  const dates = (await world.all(other, '/r4/Observation?_sort=-date&_count=20')).map((r) => r.effectiveDateTime);
  assert.equal(dates.length, 57);
  assert.deepEqual(dates, [...dates].sort().reverse());
  const skipped = await world.get(other, '/r4/Observation?_skip=50');
  assert.equal(skipped.body.entry.length, 7);
  assert.equal(skipped.body.total, 57);
  assert.equal((await world.get(other, '/r4/Observation?_skip=9999&_count=100')).status, 400);
  const bad = await world.get(other, '/r4/Observation?date=yesterday');
  assert.equal(bad.status, 400);
  assert.equal((await fetch(`${world.base}/r4/Observation/_search`, { method: 'POST', headers: { Authorization: `Bearer ${other.token}` }, body: new URLSearchParams({ code: '8867-4' }) }).then((r) => r.json())).total, 28);
});

test('sixty-four conditional creates at once make one resource', async () => {
  const other = await world.user('conditional');
  const patient = { resourceType: 'Patient', identifier: [{ system: 's', value: '1' }] };
  const all = await Promise.all(Array.from({ length: 64 }, () => world.send(other, 'POST', '/r4/Patient', patient, { 'If-None-Exist': 'identifier=s|1' })));
  assert.equal(all.filter((a) => a.status === 201).length, 1);
  assert.ok(all.every((a) => a.status === 200 || a.status === 201), JSON.stringify(all.map((a) => a.status)));
  assert.equal((await world.get(other, '/r4/Patient')).body.total, 1);
});

test('without a token nothing is shown, with metadata as the exception', async () => {
  const refused = await fetch(`${world.base}/r4/Patient`);
  assert.equal(refused.status, 401);
  const body = await refused.json();
  assert.equal(body.resourceType, 'OperationOutcome');
  assert.equal(body.message, 'Unauthorized');
  for (const version of ['dstu2', 'stu3', 'r4']) {
    const said = await (await fetch(`${world.base}/${version}/metadata`)).json();
    assert.match(said.resourceType, /CapabilityStatement|Conformance/);
    assert.ok(said.rest[0].resource.length > 90);
  }
});

test('an app reads one user by its keys, and all of them as client', async () => {
  const one = await world.user('keys-1');
  const two = await world.user('keys-2');
  await world.send(one, 'POST', '/r4/Basic', { resourceType: 'Basic', code: { text: 'a' } });
  await world.send(two, 'POST', '/r4/Basic', { resourceType: 'Basic', code: { text: 'b' } });
  const ask = async (id) => (await fetch(`${world.base}/r4/Basic`, { headers: { client_id: world.app.client_id, client_secret: world.app.client_secret, 'x-oneup-user-id': String(id) } })).json();
  assert.equal((await ask(one.id)).total, 1);
  assert.equal((await ask('client')).total, 2);
  assert.equal((await ask(99999999)).resourceType, 'OperationOutcome');
});
