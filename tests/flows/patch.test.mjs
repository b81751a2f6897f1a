// PATCH through the server: JSON Patch, FHIRPath Patch, conditional, in a
// Bundle, and what is refused; the stored text keeps its digits.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

let world;
before(async () => { world = await World.start(); });
after(async () => { await world?.stop(); });

const JSON_PATCH = { 'Content-Type': 'application/json-patch+json' };
const observation = '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00,"unit":"kg"},"identifier":[{"system":"urn:x","value":"1"}]}';
const parameters = (...operations) => ({
  resourceType: 'Parameters',
  parameter: operations.map((o) => ({
    name: 'operation',
    part: Object.entries(o).map(([name, value]) => (name === 'value' ? { name, ...value } : { name, [Number.isInteger(value) ? 'valueInteger' : 'valueString']: value })),
  })),
});
const stored = async (user) => (await world.get(user, '/r4/Observation/o')).text;

async function fresh(name) {
  const user = await world.user(name);
  const answer = await fetch(`${world.base}/r4/Observation/o`, {
    method: 'PUT', headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/fhir+json' }, body: observation,
  });
  assert.equal(answer.status, 201);
  return user;
}
const patch = (user, body, headers = JSON_PATCH, path = '/r4/Observation/o') => world.send(user, 'PATCH', path, body, headers);

test('a JSON Patch makes a new version and keeps every other byte', async () => {
  const user = await fresh('json');
  const answer = await patch(user, [
    { op: 'test', path: '/valueQuantity/value', value: 1 },
    { op: 'replace', path: '/valueQuantity/unit', value: 'g' },
    { op: 'add', path: '/note', value: [{ text: 'n' }] },
    { op: 'move', from: '/code/text', path: '/language' },
  ]);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('etag'), 'W/"9000000000001"');
  const text = await stored(user);
  assert.ok(text.endsWith(',"status":"final","valueQuantity":{"value":1.00,"unit":"g"},"identifier":[{"system":"urn:x","value":"1"}],"note":[{"text":"n"}],"language":"x"}'), text);
  const same = await patch(user, [{ op: 'replace', path: '/language', value: 'x' }]);
  assert.equal(same.status, 200);
  assert.equal(same.headers.get('etag'), 'W/"9000000000001"', 'no change, no version');
});

test('a FHIRPath Patch does', async () => {
  const user = await fresh('fhirpath');
  const answer = await patch(user, parameters(
    { type: 'replace', path: 'Observation.value', value: { valueString: 'y' } },
    { type: 'add', path: 'Observation', name: 'category', value: { valueCodeableConcept: { text: 'c' } } },
    { type: 'delete', path: "Observation.identifier.where(system='urn:x')" },
  ), {});
  assert.equal(answer.status, 200);
  const text = await stored(user);
  assert.ok(text.endsWith(',"status":"final","code":{"text":"x"},"valueString":"y","category":[{"text":"c"}]}'), text);
});

test('all or nothing: what fails is told and leaves the resource alone', async () => {
  const user = await fresh('fails');
  const before = await stored(user);
  const rows = [
    [[{ op: 'remove', path: '/code' }, { op: 'test', path: '/status', value: 'x' }], JSON_PATCH, 422, /operation 1 \(test \/status\)/],
    [[{ op: 'remove', path: '/nothing' }], JSON_PATCH, 422, /operation 0/],
    [[{ op: 'spam', path: '/code' }], JSON_PATCH, 400, /operation 0/],
    [{}, JSON_PATCH, 400, /array/],
    [undefined, JSON_PATCH, 400, /empty/],
    [[{ op: 'replace', path: '/id', value: 'z' }], JSON_PATCH, 400, /may not change id/],
    [[{ op: 'replace', path: '/resourceType', value: 'Patient' }], JSON_PATCH, 400, /resourceType/],
    [[{ op: 'replace', path: '/meta/versionId', value: '7' }], JSON_PATCH, 400, /versionId/],
    [[{ op: 'add', path: '/text', value: { status: 'generated', div: '<div><script>1</script></div>' } }], JSON_PATCH, 400, /div/],
    [[{ op: 'remove', path: '/code' }], { 'Content-Type': 'text/plain' }, 415, /json-patch/],
    [[{ op: 'remove', path: '/code' }], { ...JSON_PATCH, 'If-Match': 'W/"7"' }, 412, /version/],
    [parameters({ type: 'spam', path: 'Observation.code' }), {}, 400, /operation 0/],
    [parameters({ type: 'replace', path: 'Observation.issued', value: { valueInstant: '2020' } }), {}, 422, /nothing is there/],
  ];
  for (const [body, headers, status, diagnostics] of rows) {
    const answer = await patch(user, body, headers);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.body.resourceType, 'OperationOutcome');
    assert.match(answer.body.issue[0].diagnostics, diagnostics);
  }
  assert.equal(await stored(user), before);
  assert.equal((await patch(user, [], JSON_PATCH, '/r4/Observation/none')).status, 404);
});

test('by criteria: none 404, one 200, several 412', async () => {
  const user = await fresh('criteria');
  const body = [{ op: 'replace', path: '/status', value: 'amended' }];
  const by = (query) => patch(user, body, JSON_PATCH, `/r4/Observation?${query}`);
  assert.equal((await by('identifier=urn:x|9')).status, 404);
  const one = await by('identifier=urn:x|1');
  assert.equal(one.status, 200, one.text);
  assert.match(await stored(user), /"amended"/);
  await world.send(user, 'PUT', '/r4/Observation/p', { resourceType: 'Observation', id: 'p', status: 'final', code: { text: 'x' }, identifier: [{ system: 'urn:x', value: '1' }] });
  assert.equal((await by('identifier=urn:x|1')).status, 412);
});

test('in a batch and a transaction: a Binary of JSON Patch, or Parameters', async () => {
  const user = await fresh('bundles');
  const binary = (operations) => ({ resourceType: 'Binary', contentType: 'application/json-patch+json', data: Buffer.from(JSON.stringify(operations)).toString('base64') });
  const entry = (resource) => ({ resource, request: { method: 'PATCH', url: 'Observation/o' } });
  const bundle = (type, ...resources) => ({ resourceType: 'Bundle', type, entry: resources.map(entry) });
  const batch = await world.send(user, 'POST', '/r4', bundle('batch', binary([{ op: 'add', path: '/language', value: 'de' }])));
  assert.equal(batch.body.entry[0].response.status.slice(0, 3), '200', batch.text);
  const transaction = await world.send(user, 'POST', '/r4', bundle('transaction', parameters({ type: 'replace', path: 'Observation.status', value: { valueCode: 'amended' } })));
  assert.equal(transaction.status, 200, transaction.text);
  const text = await stored(user);
  assert.match(text, /"language":"de"/);
  assert.match(text, /"status":"amended"/);
  const failed = await world.send(user, 'POST', '/r4', bundle('transaction', binary([{ op: 'remove', path: '/nothing' }])));
  assert.equal(failed.status, 422, failed.text);
});

test('STU3 takes patches, DSTU2 has none', async () => {
  const user = await world.user('releases');
  for (const [release, status] of [['stu3', 200], ['dstu2', 405]]) {
    const made = await world.send(user, 'PUT', `/${release}/Patient/p`, { resourceType: 'Patient', id: 'p' });
    assert.equal(made.status, 201);
    const answer = await patch(user, [{ op: 'add', path: '/gender', value: 'male' }], JSON_PATCH, `/${release}/Patient/p`);
    assert.equal(answer.status, status, answer.text);
  }
});

test('many patches at once are all done, one after the other', async () => {
  const user = await fresh('race');
  await patch(user, [{ op: 'add', path: '/note', value: [{ text: 'first' }] }]);
  const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => patch(user, [{ op: 'add', path: '/note/-', value: { text: String(i) } }])));
  assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([200]));
  assert.equal(JSON.parse(await stored(user)).note.length, 17);
});
