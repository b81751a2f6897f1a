// B. Create.
import { assert, elsewhere, hold, never, observation, outcome, patient, serve } from './support.mjs';

const s = serve();

hold(24, 'create: 201, absolute Location with a version, ETag, Last-Modified', async () => {
  const made = await s.send(await s.user(), 'POST', '/r4/Patient', patient());
  assert.equal(made.status, 201);
  assert.equal(made.headers.get('location'), `${s.base}/r4/Patient/${made.body.id}/_history/${made.body.meta.versionId}`);
  assert.equal(made.headers.get('etag'), `W/"${made.body.meta.versionId}"`);
  assert.ok(made.headers.get('last-modified'));
});
hold(25, 'an id and version of the client are replaced', async () => {
  const made = await s.send(await s.user(), 'POST', '/r4/Patient', patient({ id: 'mine', meta: { versionId: '77', lastUpdated: '2001-01-01T00:00:00Z' } }));
  assert.notEqual(made.body.id, 'mine');
  assert.notEqual(made.body.meta.versionId, '77');
  assert.notEqual(made.body.meta.lastUpdated.slice(0, 4), '2001');
});
hold(26, 'tags, profiles and labels are kept', async () => {
  const meta = { tag: [{ code: 't' }], profile: ['http://x.test/p'], security: [{ code: 'R' }] };
  const made = await s.send(await s.user(), 'POST', '/r4/Patient', patient({ meta }));
  for (const name of Object.keys(meta)) assert.deepEqual(made.body.meta[name], meta[name]);
});
hold(27, 'another type in the body, or none, is 400', async () => {
  const user = await s.user();
  outcome(await s.send(user, 'POST', '/r4/Patient', observation()), 400);
  outcome(await s.send(user, 'POST', '/r4/Patient', { gender: 'male' }), 400);
});
hold(28, 'a broken primitive is 400 with its place when handling is strict; else stored as it came', async () => {
  const user = await s.user();
  const strict = await s.send(user, 'POST', '/r4/Patient', patient({ birthDate: '2020-13-01' }), { Prefer: 'handling=strict' });
  assert.equal(strict.status, 400);
  assert.ok(strict.body.issue.some((i) => i.expression?.includes('Patient.birthDate')), strict.text);
  assert.equal((await s.send(user, 'POST', '/r4/Patient', patient({ birthDate: '2020-13-01' }))).status, 201);
});
hold(29, 'Prefer: minimal, representation, OperationOutcome; unknown is 400', async () => {
  const user = await s.user();
  const post = (prefer) => s.send(user, 'POST', '/r4/Patient', patient(), { Prefer: prefer });
  const minimal = await post('return=minimal');
  assert.equal(minimal.text, '');
  assert.ok(minimal.headers.get('etag') && minimal.headers.get('location'));
  assert.equal((await post('return=representation')).body.resourceType, 'Patient');
  assert.equal((await post('return=OperationOutcome')).body.resourceType, 'OperationOutcome');
  outcome(await post('return=nothing'), 400);
});
hold(30, 'Unicode and the digits of decimals survive', async () => {
  const user = await s.user();
  const text = '{"resourceType":"Observation","status":"final","code":{"text":"Grüße 漢字 \\ud83d\\ude00"},"valueQuantity":{"value":1.10}}';
  const made = await s.raw('/r4/Observation', { method: 'POST', headers: { 'Content-Type': 'application/fhir+json' }, body: text }, user);
  const read = await s.get(user, `/r4/Observation/${made.body.id}`);
  assert.ok(read.text.includes('"value":1.10'));
  assert.equal(read.body.code.text, 'Grüße 漢字 😀');
});
hold(31, 'extensions of primitives and lists with nulls survive', async () => {
  const user = await s.user();
  const odd = patient({ _birthDate: { extension: [{ url: 'urn:x', valueCode: 'unknown' }] }, name: [{ given: ['A', null], _given: [null, { id: 'g' }] }] });
  const made = await s.send(user, 'POST', '/r4/Patient', odd);
  const read = (await s.get(user, `/r4/Patient/${made.body.id}`)).body;
  assert.deepEqual(read._birthDate, odd._birthDate);
  assert.deepEqual(read.name, odd.name);
});
hold(32, 'X-Provenance is stored and points to what was made; a bad one is 400', async () => {
  const user = await s.user();
  const provenance = { resourceType: 'Provenance', recorded: '2020-01-01T00:00:00Z', agent: [{ who: { display: 'me' } }] };
  const made = await s.send(user, 'POST', '/r4/Patient', patient(), { 'X-Provenance': JSON.stringify(provenance) });
  assert.equal(made.status, 201, made.text);
  const found = (await s.get(user, `/r4/Provenance?target=Patient/${made.body.id}`)).body;
  assert.equal(found.total, 1);
  outcome(await s.send(user, 'POST', '/r4/Patient', patient(), { 'X-Provenance': '{"resourceType":"Patient"}' }), 400);
  assert.equal((await s.get(user, '/r4/Patient')).body.total, 1, 'nothing half done');
});
hold(33, 'conditional create: 201, 200 with the old version, 412, 400', async () => {
  const user = await s.user();
  const post = (criteria) => s.send(user, 'POST', '/r4/Patient', patient({ identifier: [{ system: 'urn:x', value: '1' }] }), { 'If-None-Exist': criteria });
  const first = await post('identifier=urn:x|1');
  assert.equal(first.status, 201);
  const second = await post('identifier=urn:x|1');
  assert.equal(second.status, 200);
  for (const name of ['etag', 'location', 'last-modified']) assert.equal(second.headers.get(name), first.headers.get(name));
  await s.send(user, 'POST', '/r4/Patient', patient());
  assert.equal((await post('family=Brook')).status === 412 || (await s.get(user, '/r4/Patient?family=Brook')).body.total < 2, true);
  outcome(await post('family=Brook'), 412);
  outcome(await post('shoesize=1'), 400);
});
hold(34, 'the same with each Prefer', async () => {
  const user = await s.user();
  const post = (prefer) => s.send(user, 'POST', '/r4/Patient', patient({ identifier: [{ value: '1' }] }), { 'If-None-Exist': 'identifier=1', Prefer: `return=${prefer}` });
  assert.equal((await post('representation')).status, 201);
  assert.equal((await post('minimal')).text, '');
  assert.equal((await post('representation')).body.resourceType, 'Patient');
  assert.equal((await post('OperationOutcome')).body.resourceType, 'OperationOutcome');
});
hold(35, '64 conditional creates at once make one resource', async () => {
  const user = await s.user();
  const all = await Promise.all(Array.from({ length: 64 }, () => s.send(user, 'POST', '/r4/Patient', patient({ identifier: [{ system: 'urn:x', value: 'one' }] }), { 'If-None-Exist': 'identifier=urn:x|one' })));
  assert.deepEqual([...new Set(all.map((a) => a.status))].sort(), [200, 201]);
  assert.equal(all.filter((a) => a.status === 201).length, 1);
  assert.equal(new Set(all.map((a) => a.body.id)).size, 1);
  assert.equal((await s.get(user, '/r4/Patient')).body.total, 1);
});
elsewhere(36, 'a scope without create is 403', 'src/auth/policy_test.c');
