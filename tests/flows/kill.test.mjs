// kill -9 at random moments of an ingest: it ends complete, without duplicates,
// and no acknowledged write is lost.  KILLS and SEED choose; the seed is printed.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

const kills = Number(process.env.KILLS ?? 10);
let seed = Number(process.env.SEED ?? Date.now() % 1e9);
const random = () => { // mulberry32
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

test(`${kills} kills: complete, nothing twice, no acknowledged write lost`, async () => {
  console.log(`seed ${seed}`);
  const world = await World.start();
  try {
    // What it should be: the same person, undisturbed.
    const calm = await world.user('calm');
    await world.connect(calm, 4707, ['wilmasmart', 'Cerner01'], { fhirVersion: 'r4' });
    await world.ingested(calm);
    const [calmPatient] = await world.all(calm, '/r4/Patient');
    const want = await world.all(calm, `/r4/Patient/${calmPatient.id}/$everything?_count=100`);

    const user = await world.user('killed');
    // "+slow": every request takes 0.7 s longer, so that the kills come in the middle.
    await world.connect(user, 4707, ['wilmasmart+slow', 'Cerner01'], { fhirVersion: 'r4' });
    const acknowledged = [];
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n++) {
        try {
          const made = await world.send(user, 'POST', '/r4/Basic', { resourceType: 'Basic', code: { text: String(n) } });
          if (made.status === 201) acknowledged.push(made.body.id);
        } catch {
          await new Promise((done) => setTimeout(done, 5)); // it is down just now
        }
      }
    })();
    let within = 0;
    for (let n = 0; n < kills; n++) {
      await new Promise((done) => setTimeout(done, random() * 900));
      const [state] = await world.reports(user).catch(() => [{ status: 'unknown' }]);
      await world.server.kill();
      within += state.status !== 'done';
      await world.startServer();
    }
    const [report] = await world.ingested(user, 120);
    writing = false;
    await writer;
    assert.equal(report.status, 'done');
    assert.ok(within >= kills / 2, `only ${within} kills came before the end`);
    const [patient] = await world.all(user, '/r4/Patient');
    const got = (await world.all(user, `/r4/Patient/${patient.id}/$everything?_count=100`)).filter((r) => r.resourceType !== 'Basic');
    const count = (list) => Object.entries(list.reduce((n, r) => ({ ...n, [r.resourceType]: (n[r.resourceType] ?? 0) + 1 }), {})).sort();
    assert.deepEqual(count(got), count(want));
    assert.equal(new Set(got.map((r) => `${r.resourceType}/${r.id}`)).size, got.length);
    const basics = new Set((await world.all(user, '/r4/Basic?_count=1000')).map((r) => r.id));
    for (const id of acknowledged) assert.ok(basics.has(id), `an acknowledged write is lost: Basic/${id}`);
    console.log(`${got.length} resources, ${acknowledged.length} acknowledged writes, all there; ${within} of ${kills} kills came before the end`);
  } finally {
    await world.stop();
  }
});
