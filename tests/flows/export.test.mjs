// $export: at once below /bulk-data, later as the Bulk Data IG has it; of a
// person, of an app's people, of a group.  Contract 7.9; fhir-behaviour 183-196.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';
import { until } from '../support/programs.mjs';

let world, ann, bob, annPatient, bobPatient;

async function fill(user, n) {
  const patient = (await world.send(user, 'POST', '/r4/Patient', { resourceType: 'Patient', name: [{ family: user.name }] })).body;
  for (let i = 0; i < n; i++) {
    const made = await world.send(user, 'POST', '/r4/Observation', {
      resourceType: 'Observation', status: i % 2 ? 'final' : 'preliminary', code: { text: `n${i}` },
      subject: { reference: `Patient/${patient.id}` }, valueQuantity: { value: i, unit: '/min' },
    });
    assert.equal(made.status, 201);
  }
  return patient;
}

before(async () => {
  world = await World.start();
  ann = await world.user('ann');
  bob = await world.user('bob');
  annPatient = await fill(ann, 7);
  bobPatient = await fill(bob, 3);
});
after(async () => { await world?.stop(); });

const lines = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
const asApp = (headers = {}) => ({ ...world.keys(), 'x-oneup-user-id': 'client', ...headers });
async function ask(path, headers, method = 'GET', body) {
  const url = path.startsWith('http') ? path : world.base + path;
  const answer = await fetch(url, { method, headers, body });
  const text = await answer.text();
  let json;
  try { json = JSON.parse(text); } catch { /* NDJSON, or nothing */ }
  return { status: answer.status, headers: answer.headers, text, body: json };
}
const bearer = (user, headers = {}) => ({ Authorization: `Bearer ${user.token}`, ...headers });
const later = { Prefer: 'respond-async', Accept: 'application/fhir+json' };

async function finished(path, headers) {
  const kick = await ask(path, { ...headers, ...later });
  assert.equal(kick.status, 202, kick.text);
  const status = kick.headers.get('content-location');
  assert.ok(status.startsWith(world.base), status);
  const done = await until('the export', async () => {
    const answer = await ask(status, headers);
    if (answer.status === 202) {
      assert.ok(answer.headers.get('x-progress'));
      assert.ok(answer.headers.get('retry-after'));
      return undefined;
    }
    return answer;
  });
  assert.equal(done.status, 200, done.text);
  assert.match(done.headers.get('content-type'), /^application\/json/);
  return { status, manifest: done.body, headers: done.headers };
}

test('at once: the manifest of the contract, files by signed names', async () => {
  const answer = await ask('/bulk-data/r4/$export', bearer(ann));
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(Object.keys(answer.body).slice(0, 4), ['transactionTime', 'request', 'requiresAccessToken', 'output']);
  assert.equal(answer.body.requiresAccessToken, true);
  assert.equal(answer.body.request, `${world.base}/bulk-data/r4/$export`);
  assert.deepEqual(answer.body.output.map((o) => [o.type, o.count]), [['Observation', 7], ['Patient', 1]]);
  const file = answer.body.output[1];
  assert.match(file.url, /\/bulk-data\/r4\/\$export\/Patient\/[\w-]+\.[\w-]+\.[\w-]+\.ndjson$/);
  const [head, claims] = file.url.split('/').pop().split('.').map((part) => Buffer.from(part, 'base64url').toString());
  assert.deepEqual(JSON.parse(head), { typ: 'JWT', alg: 'HS256' });
  const { start, end, total, userId } = JSON.parse(claims);
  assert.deepEqual({ start, end, total, userId }, { start: annPatient.id, end: annPatient.id, total: 1, userId: String(ann.id) });
  const got = await ask(file.url, bearer(ann));
  assert.equal(got.status, 200);
  assert.equal(got.headers.get('content-type'), 'application/fhir+ndjson');
  assert.deepEqual(lines(got.text), [(await world.get(ann, `/r4/Patient/${annPatient.id}`)).body]);
  assert.equal((await ask(file.url, {})).status, 401);
  assert.equal((await ask(file.url, bearer(bob))).status, 404);
  const forged = file.url.replace(/\.([\w-])([\w-]+)\.ndjson$/, (_, a, rest) => `.${a === 'A' ? 'B' : 'A'}${rest}.ndjson`);
  assert.equal((await ask(forged, bearer(ann))).status, 404);
  assert.equal((await ask(file.url.replace('/Patient/', '/Observation/'), bearer(ann))).status, 200, 'the ask holds all types');
});

test('at once: all the users of an app, with its keys', async () => {
  const answer = await ask('/bulk-data/r4/$export?_type=Patient,Observation', asApp());
  assert.deepEqual(answer.body.output.map((o) => [o.type, o.count]), [['Observation', 10], ['Patient', 2]]);
  const all = lines((await ask(answer.body.output[0].url, asApp())).text);
  assert.equal(all.length, 10);
  assert.equal(new Set(all.map((r) => r.id)).size, 10);
  assert.equal((await ask(answer.body.output[0].url, bearer(ann))).status, 404);
});

test('later: 202, status, files, cancel', async () => {
  const { status, manifest, headers } = await finished('/r4/$export', bearer(ann));
  assert.ok(Date.parse(headers.get('expires')) > Date.now());
  assert.deepEqual(manifest.output.map((o) => [o.type, o.count]), [['Observation', 7], ['Patient', 1]]);
  assert.deepEqual([manifest.error, manifest.deleted], [[], []]);
  for (const o of manifest.output) {
    const file = await ask(o.url, bearer(ann, { 'Accept-Encoding': 'gzip' }));
    assert.equal(file.status, 200);
    assert.equal(file.headers.get('content-type'), 'application/fhir+ndjson');
    assert.equal(file.headers.get('content-encoding'), 'gzip');
    const all = lines(file.text);
    assert.equal(all.length, o.count);
    assert.ok(all.every((r) => r.resourceType === o.type));
    assert.equal((await ask(o.url, {})).status, 401);
    assert.equal((await ask(o.url, bearer(bob))).status, 404);
    assert.equal((await ask(o.url, asApp())).status, 404);
  }
  assert.equal((await ask(status, bearer(bob))).status, 404);
  assert.equal((await ask(status, {})).status, 401);
  assert.equal((await ask(status, bearer(ann), 'DELETE')).status, 202);
  const gone = await ask(status, bearer(ann));
  assert.equal(gone.status, 404);
  assert.equal(gone.body.resourceType, 'OperationOutcome');
  assert.equal((await ask(status, bearer(ann), 'DELETE')).status, 404);
  assert.equal((await ask(manifest.output[0].url, bearer(ann))).status, 404);
});

test('a file is as the record was at the export\'s moment', async () => {
  const cleo = await world.user('cleo');
  const patient = await fill(cleo, 4);
  const before = await world.all(cleo, '/r4/Observation?_count=100');
  const { manifest } = await finished('/r4/$export', bearer(cleo));
  await world.send(cleo, 'PUT', `/r4/Observation/${before[0].id}`, { ...before[0], status: 'amended' });
  await world.send(cleo, 'DELETE', `/r4/Observation/${before[1].id}`);
  await world.send(cleo, 'POST', '/r4/Observation', { ...before[2], id: undefined });
  const url = manifest.output.find((o) => o.type === 'Observation').url;
  const byId = (a, b) => (a.id < b.id ? -1 : 1);
  assert.deepEqual(lines((await ask(url, bearer(cleo))).text).sort(byId), before.sort(byId));
  // and the next one, from that moment on, is the difference
  const next = (await finished(`/r4/$export?_since=${manifest.transactionTime}`, bearer(cleo))).manifest;
  assert.deepEqual(next.output.map((o) => [o.type, o.count]), [['Observation', 2]]);
  assert.deepEqual(next.deleted.map((o) => [o.type, o.count]), [['Bundle', 1]]);
  const [bundle] = lines((await ask(next.deleted[0].url, bearer(cleo))).text);
  assert.deepEqual(bundle.entry, [{ request: { method: 'DELETE', url: `Observation/${before[1].id}` } }]);
  assert.ok(Date.parse(next.transactionTime) >= Date.parse(manifest.transactionTime));
  const sync = await ask(`/bulk-data/r4/$export?_since=${manifest.transactionTime}`, bearer(cleo));
  const [deleted] = lines((await ask(sync.body.deleted[0].url, bearer(cleo))).text);
  assert.equal(deleted.entry.length, 1);
  assert.ok(patient.id);
});

test('_type, _typeFilter, _elements, _outputFormat', async () => {
  const filter = encodeURIComponent('Observation?status=final,Observation?code:text=n0');
  const { manifest } = await finished(`/r4/Patient/$export?_type=Observation&_typeFilter=${filter}&_elements=status&_outputFormat=ndjson`, bearer(ann));
  assert.deepEqual(manifest.output.map((o) => o.type), ['Observation']);
  const all = lines((await ask(manifest.output[0].url, bearer(ann))).text);
  assert.equal(all.length, manifest.output[0].count);
  assert.equal(all.length, 4);
  assert.ok(all.every((r) => r.status && r.valueQuantity === undefined && r.meta.tag.some((t) => t.code === 'SUBSETTED')));
  const bad = async (query, headers = later) => (await ask(`/r4/$export${query}`, bearer(ann, headers))).status;
  assert.equal(await bad('?_outputFormat=parquet'), 400);
  assert.equal(await bad('?_outputFormat=application/fhir%2Bndjson'), 202);
  assert.equal(await bad('?_type=Nonsense'), 400);
  assert.equal(await bad('?_since=yesterday'), 400);
  assert.equal(await bad(`?_typeFilter=${encodeURIComponent('Observation?nonsense=1')}`), 400);
  assert.equal(await bad(`?_type=Patient&_typeFilter=${filter}`), 400);
  assert.equal(await bad('', { Accept: 'application/fhir+json' }), 400, 'without Prefer');
  assert.equal(await bad('', { Prefer: 'respond-async', Accept: 'text/css' }), 400);
  assert.equal((await ask('/r4/$export', later)).status, 401);
});

test('kick-off by POST with Parameters', async () => {
  const kick = await ask('/r4/Patient/$export', bearer(ann, { ...later, 'Content-Type': 'application/fhir+json' }), 'POST',
    JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: '_type', valueString: 'Patient' }] }));
  assert.equal(kick.status, 202, kick.text);
  const status = kick.headers.get('content-location');
  const done = await until('the export', async () => {
    const answer = await ask(status, bearer(ann));
    return answer.status === 200 && answer;
  });
  assert.deepEqual(done.body.output.map((o) => o.type), ['Patient']);
});

test('a group is its members and nobody else', async () => {
  const dora = await world.user('dora');
  const doraPatient = await fill(dora, 2);
  const group = (await world.send(ann, 'POST', '/r4/Group', {
    resourceType: 'Group', type: 'person', actual: true,
    member: [{ entity: { reference: `Patient/${bobPatient.id}` } }, { entity: { reference: `Patient/${doraPatient.id}` } }],
  })).body;
  const { manifest } = await finished(`/r4/Group/${group.id}/$export`, asApp());
  const of = (type) => manifest.output.find((o) => o.type === type);
  assert.equal(of('Patient').count, 2);
  assert.equal(of('Observation').count, 5);
  const patients = lines((await ask(of('Patient').url, asApp())).text).map((r) => r.id);
  assert.deepEqual(new Set(patients), new Set([bobPatient.id, doraPatient.id]));
  const sync = await ask(`/bulk-data/r4/Group/${group.id}/$export`, asApp());
  assert.equal(sync.body.output.find((o) => o.type === 'Patient').count, 2);
  assert.equal((await ask('/r4/Group/none/$export', asApp(later))).status, 404);
});

test('an export outlives a killed server', async () => {
  const { status, manifest } = await finished('/fhir/r4/$export', bearer(bob));
  const kick = await ask('/r4/$export', bearer(bob, later));
  await world.server.kill();
  await world.startServer();
  const again = await ask(status, bearer(bob));
  assert.deepEqual(again.body, manifest);
  assert.equal(lines((await ask(manifest.output[0].url, bearer(bob))).text).length, manifest.output[0].count);
  await until('the other export', async () => (await ask(kick.headers.get('content-location'), bearer(bob))).status === 200);
});

test('DSTU2 and STU3 export too', async () => {
  await world.send(ann, 'POST', '/dstu2/Patient', { resourceType: 'Patient', id: 'old', gender: 'female' });
  const answer = await ask('/bulk-data/DSTU2/$export', bearer(ann));
  assert.deepEqual(answer.body.output.map((o) => [o.type, o.count]), [['Patient', 1]]);
  assert.equal(lines((await ask(answer.body.output[0].url, bearer(ann))).text)[0].id, 'old');
  assert.deepEqual((await ask('/bulk-data/stu3/$export', bearer(ann))).body.output, []);
});
