// An online backup while writes go on, and a server on what was restored: all
// that was acknowledged before the backup began is served.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { World } from '../support/world.mjs';
import { Program, databaseOf, freePort, freshFolder, run, until } from '../support/programs.mjs';

test('backup while writes go on, restore, serve', async () => {
  const world = await World.start();
  const folder = freshFolder();
  let restored;
  try {
    const user = await world.user('kept');
    await world.connect(user, 4707, ['wilmasmart', 'Cerner01'], { fhirVersion: 'r4' });
    await world.ingested(user);
    const acknowledged = [];
    let writing = true;
    const writers = Array.from({ length: 4 }, async (_, i) => {
      for (let n = 0; writing; n++) {
        const made = await world.send(user, 'POST', '/r4/Basic', { resourceType: 'Basic', code: { text: `${i}-${n}` } });
        assert.equal(made.status, 201);
        acknowledged.push(made.body.id);
      }
    });
    await until('some writes', () => acknowledged.length > 100);
    const before = [...acknowledged];
    const file = join(folder.path, 'copy');
    const busy = world.server; // it does not notice
    // Not run(): the writers go on meanwhile.
    const backup = new Program('tributary', ['db', 'backup', file, '--data', world.data]);
    assert.deepEqual(await backup.ended, { code: 0, signal: null }, backup.log);
    writing = false;
    await Promise.all(writers);
    assert.ok(acknowledged.length > before.length, 'nothing was written meanwhile');
    assert.equal(busy.exit, undefined);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.throws(() => run('tributary', ['db', 'restore', file, '--data', world.data]), /use already|not overwritten/);

    const data = join(folder.path, 'data');
    mkdirSync(data);
    copyFileSync(join(world.data, 'master.key'), join(data, 'master.key'));
    run('tributary', ['db', 'restore', file, '--data', data]);
    assert.notEqual(databaseOf(data) ?? data, databaseOf(world.data) ?? world.data);
    const port = await freePort();
    restored = new Program('tributary', ['serve', '--data', data, '--port', String(port)]);
    const copy = Object.assign(Object.create(world), { base: `http://127.0.0.1:${port}`, server: restored });
    await restored.ready(`${copy.base}/ready`);
    // The token is good there, too, and so is the record.
    const basics = new Set((await copy.all(user, '/r4/Basic?_count=1000')).map((r) => r.id));
    for (const id of before) assert.ok(basics.has(id), `lost: Basic/${id}`);
    for (const type of ['Patient', 'Observation', 'Condition']) {
      const ids = async (w) => (await w.all(user, `/r4/${type}?_count=500`)).map((r) => `${r.id}/${r.meta.versionId}`).sort();
      assert.deepEqual(await ids(copy), await ids(world));
    }
    assert.equal((await copy.reports(user))[0].status, 'done');
    assert.equal((await copy.send(user, 'POST', '/r4/Basic', { resourceType: 'Basic', code: { text: 'new' } })).status, 201);
    assert.ok((await copy.user('another')).token);
  } finally {
    await restored?.stop();
    await world.stop();
    folder.remove();
  }
});

test('what cannot be restored is said, and changes nothing', () => {
  const folder = freshFolder();
  try {
    assert.throws(() => run('tributary', ['db', 'restore', join(folder.path, 'none'), '--data', join(folder.path, 'data')]), /: 3 .*cannot read/);
    assert.throws(() => run('tributary', ['db', 'restore', '/etc/hostname', '--data', join(folder.path, 'data')]), /: 1 /);
    assert.throws(() => run('tributary', ['db', 'distribute', '--data', join(folder.path, 'data')]), /SQLite file|Citus/);
  } finally {
    folder.remove();
  }
});
