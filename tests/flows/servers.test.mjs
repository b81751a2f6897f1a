// Two servers on one PostgreSQL database: what one writes the other has at once,
// nobody writes over the other, work is done once, a revoked token is refused
// everywhere, and what a killed server was doing the other one ends.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Program, freePort, root, until } from '../support/programs.mjs';

const skip = process.env.TRIBUTARY_TEST_DATABASE ? false : 'make test DB=postgres';
let world, bases, second;

// The world as it is seen through its second server.
async function startSecond() {
  const port = await freePort();
  const args = world.serverArgs.map((a) => (a === String(world.port) ? String(port) : a));
  const b = Object.create(world);
  b.port = port;
  b.base = `http://127.0.0.1:${port}`;
  b.server = new Program('tributary', args, world.env);
  await b.server.ready(`${b.base}/ready`);
  return b;
}

before(async () => {
  if (skip) return;
  world = await World.start();
  second = await startSecond();
  bases = [world, second];
});
after(async () => {
  if (skip) return;
  await second.server.stop();
  await world.stop();
});

const basic = (text) => ({ resourceType: 'Basic', code: { text } });

test('what is written on one is read on the other at once', { skip }, async () => {
  const user = await world.user('reader');
  for (let n = 0; n < 60; n++) {
    const [writer, reader] = n % 2 ? bases : [second, world];
    const made = await writer.send(user, 'POST', '/r4/Basic', basic(String(n)));
    assert.equal(made.status, 201);
    const path = `/r4/Basic/${made.body.id}`;
    assert.equal((await reader.get(user, path)).body.code?.text, String(n));
    assert.equal((await reader.get(user, '/r4/Basic?_summary=count')).body.total, n + 1);
    const changed = await reader.send(user, 'PUT', path, { ...made.body, code: { text: `${n}+` } });
    assert.equal(changed.status, 200);
    assert.equal((await writer.get(user, path)).body.code.text, `${n}+`);
  }
});

test('64 parallel conditional creates make one resource', { skip }, async () => {
  const user = await world.user('conditional');
  for (let round = 0; round < 3; round++) {
    const identifier = [{ system: 'urn:round', value: String(round) }];
    const query = `identifier=urn:round|${round}`;
    const answers = await Promise.all(Array.from({ length: 64 }, (_, n) => bases[n % 2].send(
      user, 'POST', '/r4/Patient', { resourceType: 'Patient', identifier }, { 'If-None-Exist': query })));
    const count = (status) => answers.filter((a) => a.status === status).length;
    assert.deepEqual([count(201), count(200)], [1, 63], answers.map((a) => a.status).join(' '));
    for (const w of bases) assert.equal((await w.get(user, `/r4/Patient?${query}`)).body.total, 1);
  }
});

test('writers of the same resource on two servers: one wins by version, none is lost', { skip }, async () => {
  const user = await world.user('writers');
  const made = await world.send(user, 'PUT', '/r4/Basic/one', { ...basic('0'), id: 'one' });
  assert.equal(made.status, 201);
  let version = made.body.meta.versionId;
  for (let n = 0; n < 20; n++) {
    const answers = await Promise.all([0, 1, 2, 3].map((i) => bases[i % 2].send(
      user, 'PUT', '/r4/Basic/one', { ...basic(`${n}-${i}`), id: 'one' }, { 'If-Match': `W/"${version}"` })));
    const won = answers.filter((a) => a.status === 200);
    assert.equal(won.length, 1, answers.map((a) => a.status).join(' '));
    version = won[0].body.meta.versionId;
  }
  const history = await second.get(user, '/r4/Basic/one/_history?_count=100');
  assert.equal(history.body.total, 21);
  // Without If-Match all are kept, one after the other.
  const all = await Promise.all(Array.from({ length: 40 }, (_, n) => bases[n % 2].send(user, 'POST', '/r4/Basic', basic('many'))));
  assert.deepEqual([...new Set(all.map((a) => a.status))], [201]);
  for (const w of bases) assert.equal((await w.get(user, '/r4/Basic?_summary=count')).body.total, 41);
});

test('a token revoked on one is refused on the other within a second', { skip }, async () => {
  const user = await world.user('revoked');
  for (const w of bases) assert.equal((await w.get(user, '/r4/Patient')).status, 200);
  const id = user.name;
  const gone = await world.send(user, 'PUT', `/user-management/v1/user?${new URLSearchParams({ ...world.keys(), app_user_id: id, active: 'false' })}`);
  assert.equal(gone.status, 200, gone.text);
  const began = Date.now();
  assert.equal((await world.get(user, '/r4/Patient')).status, 401);
  await until('the refusal', async () => (await second.get(user, '/r4/Patient')).status === 401, 5);
  assert.ok(Date.now() - began < 1500, `${Date.now() - began} ms`);
});

test('connect on one, report on the other; every job is worked once', { skip }, async () => {
  const calm = await world.user('calm');
  await world.connect(calm, 4707, ['wilmasmart', 'Cerner01'], { fhirVersion: 'r4' });
  await second.ingested(calm);
  const of = async (w, user) => (await w.all(user, '/r4/Observation?_count=500')).map((r) => `${r.resourceType}/${r.id}`).sort();
  assert.deepEqual(await of(world, calm), await of(second, calm));
  assert.ok((await of(world, calm)).length > 10);
  const users = await Promise.all(['one', 'two', 'three', 'four'].map((n) => second.user(`ingest-${n}`)));
  await Promise.all(users.map((u, n) => bases[n % 2].connect(u, 4707, ['wilmasmart', 'Cerner01'], { fhirVersion: 'r4' })));
  for (const [n, u] of users.entries()) {
    const [report] = await bases[(n + 1) % 2].ingested(u);
    assert.equal(report.status, 'done');
    const ids = await of(world, u);
    assert.equal(ids.length, (await of(world, calm)).length);
    // Each resource has its first version: nobody ingested it twice.
    const versions = (await second.all(u, '/r4/Observation?_count=500')).map((r) => r.meta.versionId);
    assert.deepEqual([...new Set(versions)], ['9000000000000']);
  }
});

test('what a killed server was doing the other one ends', { skip }, async () => {
  const user = await world.user('orphan');
  await second.connect(user, 4707, ['wilmasmart+slow', 'Cerner01'], { fhirVersion: 'r4' });
  await second.server.kill();
  const [report] = await world.ingested(user, 60);
  assert.equal(report.status, 'done');
  second = await startSecond();
  bases = [world, second];
  assert.equal((await second.reports(user))[0].status, 'done');
});

test('PostgreSQL restarts: 503 or an answer meanwhile, then all is well', { skip: skip || !process.env.PG_DIR }, async () => {
  const user = await world.user('restart');
  assert.equal((await world.send(user, 'PUT', '/r4/Basic/before', { ...basic('x'), id: 'before' })).status, 201);
  restart();
  for (const w of bases) {
    await until('PostgreSQL to be back', async () => (await w.get(user, '/r4/Basic/before')).status === 200, 20);
    const made = await until('a write', async () => {
      const answer = await w.send(user, 'POST', '/r4/Basic', basic('after'));
      return answer.status === 201 && answer;
    }, 20);
    assert.equal((await w.get(user, `/r4/Basic/${made.body.id}`)).status, 200);
  }
  // What the servers said about it is no error of theirs.
  for (const w of bases) w.server.log = w.server.log.replace(/.*"level":"error".*PostgreSQL.*\n/g, '');
});

function restart() {
  const done = spawnSync(join(root, 'tools/postgres.sh'), ['--restart'], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
}
