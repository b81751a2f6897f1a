// E. Patch.  F. Delete and history.
import { assert, bundle, elsewhere, entry, hold, ids, link, never, observation, outcome, patient, serve } from './support.mjs';

const s = serve();
const JSON_PATCH = { 'Content-Type': 'application/json-patch+json' };
const fresh = async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p', gender: 'male', active: true, identifier: [{ system: 'urn:x', value: '1' }] }));
  return user;
};
const patch = (user, body, headers = JSON_PATCH, path = '/r4/Patient/p') => s.send(user, 'PATCH', path, body, headers);
const operation = (parts) => ({ resourceType: 'Parameters', parameter: [{ name: 'operation', part: Object.entries(parts).map(([name, v]) => (typeof v === 'object' ? { name, ...v } : { name, valueString: v })) }] });

hold(57, 'JSON Patch: add, replace, remove, move, copy, test', async () => {
  const user = await fresh();
  const answer = await patch(user, [{ op: 'test', path: '/gender', value: 'male' }, { op: 'replace', path: '/gender', value: 'female' }, { op: 'remove', path: '/active' }, { op: 'add', path: '/name/-', value: { family: 'B' } }, { op: 'copy', from: '/name/0/family', path: '/name/1/text' }, { op: 'move', from: '/name/1/text', path: '/language' }]);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers.get('etag'), 'W/"9000000000001"');
  assert.equal(answer.body.gender, 'female');
  assert.equal(answer.body.language, 'Brook');
  assert.equal(answer.body.active, undefined);
});
hold(58, 'a test that fails is 422, the resource as it was', async () => {
  const user = await fresh();
  outcome(await patch(user, [{ op: 'replace', path: '/gender', value: 'female' }, { op: 'test', path: '/gender', value: 'male' }]), 422);
  assert.equal((await s.get(user, '/r4/Patient/p')).body.gender, 'male');
});
hold(59, 'a bad operation, path or result is 400 or 422', async () => {
  const user = await fresh();
  for (const body of [[{ op: 'frob', path: '/gender' }], [{ op: 'replace', path: '/nothing/here', value: 1 }], [{ op: 'replace', path: 'gender', value: 'x' }], [{ op: 'replace', path: '', value: [] }]]) {
    const answer = await patch(user, body);
    assert.ok([400, 422].includes(answer.status), `${JSON.stringify(body)}: ${answer.status}`);
  }
});
hold(60, 'id, type and version are not to be patched', async () => {
  const user = await fresh();
  for (const path of ['/id', '/resourceType', '/meta/versionId']) {
    const answer = await patch(user, [{ op: 'replace', path, value: 'Observation' }]);
    assert.ok([400, 422].includes(answer.status), `${path}: ${answer.status}`);
  }
});
hold(61, 'patch of what is missing 404, stale 412, empty 400, odd type 415', async () => {
  const user = await fresh();
  const good = [{ op: 'replace', path: '/gender', value: 'female' }];
  outcome(await patch(user, good, JSON_PATCH, '/r4/Patient/nobody'), 404);
  outcome(await patch(user, good, { ...JSON_PATCH, 'If-Match': 'W/"1"' }), 412);
  outcome(await patch(user, undefined), 400);
  outcome(await patch(user, good, { 'Content-Type': 'text/plain' }), 415);
});
hold(62, 'a patch that changes nothing makes no version', async () => {
  const answer = await patch(await fresh(), [{ op: 'replace', path: '/gender', value: 'male' }]);
  assert.equal(answer.body.meta.versionId, '9000000000000');
});
hold(63, 'FHIRPath Patch: add, insert, delete, replace, move; unknown 400', async () => {
  const user = await fresh();
  const fhir = { 'Content-Type': 'application/fhir+json' };
  assert.equal((await patch(user, operation({ type: 'replace', path: 'Patient.gender', value: { valueCode: 'other' } }), fhir)).body.gender, 'other');
  assert.equal((await patch(user, operation({ type: 'add', path: 'Patient', name: 'birthDate', value: { valueDate: '1990-01-01' } }), fhir)).body.birthDate, '1990-01-01');
  assert.equal((await patch(user, operation({ type: 'insert', path: 'Patient.identifier', index: { valueInteger: 0 }, value: { valueIdentifier: { value: 'first' } } }), fhir)).body.identifier[0].value, 'first');
  assert.equal((await patch(user, operation({ type: 'move', path: 'Patient.identifier', source: { valueInteger: 0 }, destination: { valueInteger: 1 } }), fhir)).body.identifier[1].value, 'first');
  assert.equal((await patch(user, operation({ type: 'delete', path: 'Patient.active' }), fhir)).body.active, undefined);
  outcome(await patch(user, operation({ type: 'frob', path: 'Patient.active' }), fhir), 400);
});
hold(64, 'conditional patch: none 404, several 412, one 200', async () => {
  const user = await fresh();
  const good = [{ op: 'replace', path: '/gender', value: 'female' }];
  outcome(await patch(user, good, JSON_PATCH, '/r4/Patient?identifier=urn:x|9'), 404);
  assert.equal((await patch(user, good, JSON_PATCH, '/r4/Patient?identifier=urn:x|1')).status, 200);
  await s.put(user, patient({ id: 'q' }));
  outcome(await patch(user, good, JSON_PATCH, '/r4/Patient?family=Brook'), 412);
});
hold(65, 'patches in a batch, as Binary and as Parameters', async () => {
  const user = await fresh();
  const binary = { resourceType: 'Binary', contentType: 'application/json-patch+json', data: Buffer.from('[{"op":"replace","path":"/gender","value":"other"}]').toString('base64') };
  const answer = await s.send(user, 'POST', '/r4', bundle('batch', entry('PATCH', 'Patient/p', binary), entry('PATCH', 'Patient/p', operation({ type: 'delete', path: 'Patient.active' }))));
  assert.deepEqual(answer.body.entry.map((e) => e.response.status.slice(0, 3)), ['200', '200'], answer.text);
  const read = (await s.get(user, '/r4/Patient/p')).body;
  assert.ok(read.gender === 'other' && read.active === undefined);
});
hold(66, 'STU3 has JSON Patch, DSTU2 none', async () => {
  const user = await s.user();
  for (const [release, status] of [['stu3', 200], ['dstu2', 405]]) {
    await s.send(user, 'PUT', `/${release}/Patient/p`, { resourceType: 'Patient', id: 'p', gender: 'male' });
    assert.equal((await patch(user, [{ op: 'remove', path: '/gender' }], JSON_PATCH, `/${release}/Patient/p`)).status, status);
  }
});

hold(67, 'delete: 200 with its ETag, then 410 and not found', async () => {
  const user = await fresh();
  const gone = await s.send(user, 'DELETE', '/r4/Patient/p');
  assert.equal(gone.status, 200);
  assert.equal(gone.headers.get('etag'), 'W/"9000000000001"');
  assert.equal((await s.get(user, '/r4/Patient/p')).status, 410);
  assert.equal((await s.get(user, '/r4/Patient')).body.total, 0);
});
hold(68, 'deleting again, or what never was, is fine', async () => {
  const user = await fresh();
  for (const id of ['p', 'p', 'nobody']) assert.equal((await s.send(user, 'DELETE', `/r4/Patient/${id}`)).status, 200);
});
hold(69, 'conditional delete: none, one, several 412, no criteria 400', async () => {
  const user = await fresh();
  await s.put(user, patient({ id: 'q' }));
  const remove = (query) => s.send(user, 'DELETE', `/r4/Patient?${query}`);
  assert.equal((await remove('identifier=urn:x|9')).status, 200);
  outcome(await remove('family=Brook'), 412);
  assert.equal((await remove('identifier=urn:x|1')).status, 200);
  assert.equal((await s.get(user, '/r4/Patient/p')).status, 410);
  outcome(await remove(''), 400);
});
hold(70, 'with _count several are deleted, and counted', async () => {
  const user = await fresh();
  await s.put(user, patient({ id: 'q' }), patient({ id: 'r' }));
  const gone = await s.send(user, 'DELETE', '/r4/Patient?family=Brook&_count=2');
  assert.match(gone.body.issue[0].diagnostics, /deleted 2/);
  assert.equal((await s.get(user, '/r4/Patient')).body.total, 1);
});
hold(71, 'history: newest first, with requests and responses', async () => {
  const user = await fresh();
  await s.send(user, 'DELETE', '/r4/Patient/p');
  const { body } = await s.get(user, '/r4/Patient/p/_history');
  assert.equal(body.type, 'history');
  const [gone, made] = body.entry;
  assert.ok(gone.request.method === 'DELETE' && !gone.resource && gone.request.url === 'Patient/p');
  assert.ok(made.response.status && made.response.etag && made.response.lastModified && made.resource);
});
hold(72, 'history of a type and of all, paged while others write', async () => {
  const user = await s.user();
  for (let i = 0; i < 12; i++) await s.put(user, patient({ id: `p${i % 3}`, birthDate: `19${i + 10}` }));
  await s.put(user, observation({ id: 'o' }));
  const seen = [];
  let n = 0;
  for (let url = '/r4/_history?_count=5'; url;) {
    const page = (await s.get(user, url)).body;
    seen.push(...page.entry.map((e) => `${e.fullUrl} ${e.response.etag}`));
    await s.put(user, patient({ id: `new${n++}` }));
    url = link(page, 'next');
  }
  assert.equal(seen.length, 13);
  assert.equal(new Set(seen).size, 13);
  assert.equal((await s.get(user, '/r4/Observation/_history')).body.total, 1);
});
hold(73, '_since, _at, _before; what is odd is 400', async () => {
  const user = await fresh();
  const first = (await s.get(user, '/r4/Patient/p')).body.meta.lastUpdated;
  await s.put(user, patient({ id: 'p', gender: 'female' }));
  const second = (await s.get(user, '/r4/Patient/p')).body.meta.lastUpdated;
  const total = async (query) => (await s.get(user, `/r4/Patient/p/_history?${query}`)).body.total;
  assert.equal(await total(`_since=${second}`), first === second ? 2 : 1);
  assert.equal(await total('_since=2000-01-01T00:00:00Z'), 2);
  assert.equal(await total('_at=1999'), 0);
  assert.ok((await total(`_at=${second.slice(0, 10)}`)) >= 1);
  for (const bad of ['_since=then', '_at=then', '_before=2999-01-01T00:00:00Z', '_before=x', '_sort=family', '_count=x']) outcome(await s.get(user, `/r4/Patient/p/_history?${bad}`), 400);
});
hold(74, 'history of an unknown id is 404, of a deleted one 200', async () => {
  const user = await fresh();
  outcome(await s.get(user, '/r4/Patient/nobody/_history'), 404);
  await s.send(user, 'DELETE', '/r4/Patient/p');
  assert.equal((await s.get(user, '/r4/Patient/p/_history')).status, 200);
});
elsewhere(75, 'a purge takes the history too: a user is erased whole, checked in the files', 'src/api/erase_test.c');
hold(76, 'total is the number of versions', async () => {
  const user = await fresh();
  await s.put(user, patient({ id: 'p', gender: 'female' }), patient({ id: 'p', gender: 'other' }));
  assert.equal((await s.get(user, '/r4/Patient/p/_history?_count=1')).body.total, 3);
});
