// _permission: a user lets another user of the app read.  Contract 7.8.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

let world, owner, friend, stranger, patient, other, practitioner;
const post = async (user, resource) => {
  const made = await world.send(user, 'POST', `/r4/${resource.resourceType}`, resource);
  assert.equal(made.status, 201, made.text);
  return made.body;
};
const observation = (of, text) => ({ resourceType: 'Observation', status: 'final', code: { text }, subject: { reference: `Patient/${of.id}` }, ...(practitioner ? { performer: [{ reference: `Practitioner/${practitioner.id}` }] } : {}) });

before(async () => {
  world = await World.start();
  owner = await world.user('owner');
  friend = await world.user('friend');
  stranger = await world.user('stranger');
  patient = await post(owner, { resourceType: 'Patient', name: [{ family: 'Shared' }] });
  other = await post(owner, { resourceType: 'Patient', name: [{ family: 'Private' }] });
  practitioner = await post(owner, { resourceType: 'Practitioner', name: [{ family: 'Arzt' }] });
  for (let i = 0; i < 5; i++) await post(owner, observation(patient, `shared ${i}`));
  for (let i = 0; i < 4; i++) await post(owner, observation(other, `private ${i}`));
  const own = await post(friend, { resourceType: 'Patient', name: [{ family: 'Own' }] });
  await post(friend, { resourceType: 'Observation', status: 'final', code: { text: 'own' }, subject: { reference: `Patient/${own.id}` } });
});
after(async () => { await world?.stop(); });

const permit = (user, method, id, grantee) => world.send(user, method, `/fhir/r4/Patient/${id}/_permission/${grantee}`);
const total = async (user, path) => (await world.get(user, path)).body.total;

test('nothing is seen before, and what is shared after', async () => {
  assert.equal((await world.get(friend, `/r4/Patient/${patient.id}`)).status, 404);
  assert.equal(await total(friend, '/r4/Observation'), 1);
  const granted = await permit(owner, 'PUT', patient.id, friend.id);
  assert.deepEqual([granted.status, granted.body], [200, { success: true }]);
  assert.deepEqual((await permit(owner, 'PUT', patient.id, friend.id)).body, { success: true }, 'twice is as good');
  assert.deepEqual((await world.get(friend, `/r4/Patient/${patient.id}`)).body, patient);
  assert.equal((await world.get(friend, `/r4/Patient/${other.id}`)).status, 404);
  assert.equal((await world.get(friend, `/r4/Practitioner/${practitioner.id}`)).status, 200, 'what the patient refers to');
  assert.equal(await total(friend, '/r4/Patient'), 2);
  assert.equal(await total(friend, '/r4/Practitioner'), 1);
  assert.equal(await total(friend, `/r4/Patient/${patient.id}/Observation`), 5);
  assert.equal(await total(friend, `/r4/Observation?patient=${patient.id}`), 5);
  assert.equal(await total(friend, `/r4/Observation?patient=${other.id}`), 0);
  const all = await world.all(friend, '/r4/Observation?_count=2');
  assert.equal(all.length, 6);
  assert.equal(new Set(all.map((r) => r.id)).size, 6);
  assert.ok(all.every((r) => !r.code.text.startsWith('private')));
  const secret = (await world.all(owner, `/r4/Observation?patient=${other.id}`))[0];
  assert.equal((await world.get(friend, `/r4/Observation/${secret.id}`)).status, 404);
  const everything = await world.all(friend, `/r4/Patient/${patient.id}/$everything?_count=100`);
  assert.equal(everything.filter((r) => r.resourceType === 'Observation').length, 5);
  const found = await world.get(friend, '/r4/Observation?_include=*&_revinclude=*&_count=100');
  assert.ok(!found.text.includes('rivate'), 'includes show no other patient');
});

test('sharing is reading: no write, no history, no export, no sharing on', async () => {
  const [one] = await world.all(owner, `/r4/Observation?patient=${patient.id}`);
  const put = await world.send(friend, 'PUT', `/r4/Observation/${one.id}`, { ...one, status: 'amended' });
  assert.ok(put.status === 201 || put.status >= 400, 'at most a resource of its own');
  assert.equal((await world.get(owner, `/r4/Observation/${one.id}`)).body.status, 'final');
  if (put.status === 201) await world.send(friend, 'DELETE', `/r4/Observation/${one.id}`);
  assert.equal((await world.get(friend, `/r4/Patient/${patient.id}/_history`)).status, 404);
  assert.equal((await world.get(friend, `/r4/Patient/${patient.id}/_history/9000000000000`)).status, 404);
  await world.send(friend, 'DELETE', `/r4/Patient/${patient.id}`);
  await world.send(friend, 'DELETE', `/r4/Patient/${patient.id}/$everything`);
  assert.equal((await world.get(owner, `/r4/Patient/${patient.id}`)).status, 200);
  const exported = await world.get(friend, '/bulk-data/r4/$export?_type=Patient');
  assert.equal(exported.body.output[0].count, 1);
  const on = await permit(friend, 'PUT', patient.id, stranger.id);
  assert.equal(on.status, 400);
  assert.equal((await world.get(stranger, `/r4/Patient/${patient.id}`)).status, 404);
  assert.equal(await total(stranger, '/r4/Observation'), 0);
});

test('revoked is revoked at once', async () => {
  assert.deepEqual((await permit(owner, 'DELETE', patient.id, friend.id)).body, { success: true });
  assert.equal((await world.get(friend, `/r4/Patient/${patient.id}`)).status, 404);
  assert.ok((await world.all(friend, '/r4/Observation')).every((r) => !r.code.text.startsWith('shared')));
});

test('the literal patientid is the whole record', async () => {
  assert.deepEqual((await permit(owner, 'PUT', 'patientid', friend.id)).body, { success: true });
  assert.equal((await world.get(friend, `/r4/Patient/${other.id}`)).status, 200);
  assert.ok(await total(friend, '/r4/Observation') >= 10);
  assert.equal((await world.get(friend, '/dstu2/Observation')).body.total, 0);
  await permit(owner, 'DELETE', 'patientid', friend.id);
  assert.equal((await world.get(friend, `/r4/Patient/${other.id}`)).status, 404);
});

test('unknown users, other apps\' users, unknown patients, no token', async () => {
  const unknown = await permit(owner, 'PUT', patient.id, 999999);
  assert.deepEqual([unknown.status, unknown.body], [400, { success: false, error: 'this user does not exist' }]);
  assert.equal((await permit(owner, 'PUT', 'nobody', friend.id)).status, 400);
  assert.equal((await fetch(`${world.base}/r4/Patient/${patient.id}/_permission/${friend.id}`, { method: 'PUT' })).status, 401);
});

test('with the app\'s keys', async () => {
  const keys = new URLSearchParams({ ...world.keys(), oneup_user_id: owner.id });
  const granted = await fetch(`${world.base}/r4/Patient/${patient.id}/_permission/${stranger.id}?${keys}`, { method: 'PUT' });
  assert.deepEqual([granted.status, await granted.json()], [200, { success: true }]);
  assert.equal((await world.get(stranger, `/r4/Patient/${patient.id}`)).status, 200);
  const revoked = await fetch(`${world.base}/r4/Patient/${patient.id}/_permission/${stranger.id}?${new URLSearchParams(world.keys())}`, { method: 'DELETE' });
  assert.equal(revoked.status, 200);
  assert.equal((await world.get(stranger, `/r4/Patient/${patient.id}`)).status, 404);
});
