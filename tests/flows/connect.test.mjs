// The walking river: a person connects, the app reads the whole record.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

let world;
before(async () => { world = await World.start(); });
after(async () => { await world?.stop(); });

test('a user connects the Epic-like system and the app reads the record', async () => {
  const user = await world.user('anna');
  const back = await world.connect(user, 4706, ['fhirjason', 'epicepic1'], { state: 'x y&z', fhirVersion: 'r4' });
  assert.equal(back.searchParams.get('success'), 'true');
  assert.equal(back.searchParams.get('state'), 'x y&z');
  assert.equal(back.searchParams.get('system_id'), '4706');
  const patients = await world.get(user, '/r4/Patient');
  assert.equal(patients.body.total, 1, 'the Patient is there when the browser comes back');
  const [report] = await world.ingested(user);
  assert.equal(report.status, 'done');
  const observations = await world.get(user, '/r4/Observation?_count=5&_sort=-date');
  assert.ok(observations.body.total > 10);
  assert.equal(observations.body.entry.length, 5);
  const everything = await world.all(user, `/r4/Patient/${patients.body.entry[0].resource.id}/$everything?_count=100`);
  const ids = new Set(everything.map((r) => `${r.resourceType}/${r.id}`));
  assert.equal(ids.size, everything.length, 'no resource twice');
  for (const resource of everything) {
    assert.equal(resource.meta.source, '1up-external-system:4706');
    assert.ok(resource.text?.div || resource.resourceType === 'Binary', `${resource.resourceType} has a narrative`);
  }
});

test('denying comes back with success=false and access_denied', async () => {
  const user = await world.user('denies');
  const back = await world.connect(user, 4706, ['fhirjason', 'epicepic1'], { allow: false });
  assert.equal(back.searchParams.get('success'), 'false');
  assert.equal(back.searchParams.get('error'), 'access_denied');
  assert.equal((await world.get(user, '/r4/Patient')).body.total, 0);
});

test('another user sees nothing of it', async () => {
  const owner = await world.user('owner');
  const other = await world.user('other');
  await world.connect(owner, 4706, ['fhirjason', 'epicepic1'], { fhirVersion: 'r4' });
  await world.ingested(owner);
  const { body } = await world.get(owner, '/r4/Patient');
  const id = body.entry[0].resource.id;
  assert.equal((await world.get(other, `/r4/Patient/${id}`)).status, 404);
  assert.equal((await world.get(other, '/r4/Observation')).body.total, 0);
  assert.equal((await world.get(other, `/r4/Patient/${id}/$everything`)).status, 404);
  assert.equal((await world.reports(other)).length, 0);
});

test('an ingest that finds nothing new writes nothing', async () => {
  const user = await world.user('again');
  await world.connect(user, 4707, ['wilmasmart', 'Cerner01'], { fhirVersion: 'r4' });
  const [first] = await world.ingested(user);
  const started = first.started_at;
  const asked = await world.post('/connect/api/on-demand-ingest', { ...world.keys(), oneup_user_id: user.id, whole: 'true' });
  assert.equal(asked.status, 202);
  let again;
  do [again] = await world.ingested(user); while (again.started_at === started);
  const written = again.types.reduce((n, t) => n + t.written, 0);
  const got = again.types.reduce((n, t) => n + t.got, 0);
  assert.equal(written, 0);
  assert.equal(got, first.types.reduce((n, t) => n + t.got, 0));
});

test('DSTU2 arrives as DSTU2', async () => {
  const user = await world.user('old');
  await world.connect(user, 4707, ['wilmasmart', 'Cerner01'], { fhirVersion: 'dstu2' });
  await world.ingested(user);
  const found = await world.get(user, '/fhir/dstu2/Patient');
  assert.equal(found.body.total, 1);
  assert.equal(found.body.link, undefined, 'no lone link in the old manner');
  assert.equal((await world.get(user, '/r4/Patient')).body.total, 0);
  const orders = await world.get(user, '/fhir/dstu2/MedicationOrder');
  assert.ok(orders.body.total > 0);
});

test('the Blue-Button-like plan brings coverage and claims', async () => {
  const user = await world.user('claims');
  await world.connect(user, 4748, ['BBUser29999', 'PW29999!'], { fhirVersion: 'r4' });
  await world.ingested(user);
  assert.ok((await world.get(user, '/r4/Coverage')).body.total > 0);
  assert.ok((await world.get(user, '/r4/ExplanationOfBenefit')).body.total > 0);
});

test('the progress feed tells each step', async () => {
  const user = await world.user('feed');
  await world.connect(user, 4706, ['fhirjason', 'epicepic1'], { fhirVersion: 'r4' });
  await world.ingested(user);
  const feed = await fetch(`${world.base}/r4/AuditEvent?subtype=data-transfer-initiated,member-data-ingestion-completed&agent-name:contains=1up-user-${user.id}`, {
    headers: { client_id: world.app.client_id, client_secret: world.app.client_secret, 'x-oneup-user-id': String(user.id) },
  });
  const body = await feed.json();
  assert.equal(feed.status, 200);
  const codes = body.entry.flatMap((e) => e.resource.subtype.map((s) => s.code));
  assert.deepEqual([...new Set(codes)].sort(), ['data-transfer-initiated', 'member-data-ingestion-completed']);
});

test('a revoked connection is not asked again', async () => {
  const user = await world.user('revoked');
  await world.connect(user, 4706, ['fhirjason', 'epicepic1'], { fhirVersion: 'r4' });
  await world.ingested(user);
  const revoked = await world.post('/connect/api/revoke-data-access', { ...world.keys(), oneup_user_id: user.id });
  assert.deepEqual(revoked.body, { success: true, revoked: 1 });
  const asked = await world.post('/connect/api/on-demand-ingest', { ...world.keys(), oneup_user_id: user.id });
  assert.equal(asked.status, 400);
});
