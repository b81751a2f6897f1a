// A refresh asks for what changed, where the system can tell; and loses nothing
// where it cannot.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';
import { until } from '../support/programs.mjs';

const login = ['wilmasmart', 'Cerner01'];
const withSince = 4707;
let world;
before(async () => { world = await World.start(); });
after(async () => { await world?.stop(); });

const sandbox = (path, options) => fetch(`${world.sandboxBase}${path}`, { method: 'POST', ...options });
const faults = async (set) => assert.equal((await sandbox('/faults', { body: new URLSearchParams({ set }) })).status, 200);

// The person's record at the system has the resource from now on.
async function change(resource, lastUpdated = new Date().toISOString()) {
  const body = JSON.stringify({ ...resource, meta: { ...resource.meta, lastUpdated } });
  const answer = await sandbox(`/records/${login[0]}/R4`, { body });
  assert.equal(answer.status, 200, await answer.text());
}

async function again(user, more = {}) {
  const [{ started_at: before }] = await world.reports(user);
  const asked = await world.post('/connect/api/on-demand-ingest', { ...world.keys(), oneup_user_id: user.id, ...more });
  assert.equal(asked.status, 202);
  return until('the next ingest', async () => {
    const [report] = await world.reports(user);
    return report.started_at !== before && report.status === 'done' && report;
  });
}

async function connected(name, system = withSince) {
  const user = await world.user(name);
  await world.connect(user, system, login, { fhirVersion: 'r4' });
  const [report] = await world.ingested(user);
  assert.equal(report.status, 'done');
  return { user, report };
}

const sum = (report, what) => report.types.reduce((n, t) => n + t[what], 0);
const typed = (report, type) => report.types.find((t) => t.type === type);
const observation = (id, value) => ({
  resourceType: 'Observation', id, status: 'final', category: [{ coding: [{ code: 'laboratory' }] }],
  code: { text: 'refresh' }, valueString: value,
});

test('an unchanged record is asked for changes only, and nothing is written', async () => {
  const { user, report } = await connected('unchanged');
  assert.ok(report.types.every((t) => t.changes_since === null), 'the first time all is asked for');
  const next = await again(user);
  assert.equal(sum(next, 'written'), 0);
  assert.equal(typed(next, 'Observation').got, 0);
  const since = Date.parse(typed(next, 'Observation').changes_since);
  assert.ok(since <= Date.parse(report.started_at) && since > Date.parse(report.started_at) - 3600e3);
  assert.equal(typed(next, 'Observation').status, 'done');
  assert.ok(sum(next, 'asked') < sum(report, 'asked'), `${sum(next, 'asked')} of ${sum(report, 'asked')} requests`);
  const third = await again(user, { whole: 'true' });
  assert.equal(sum(third, 'got'), sum(report, 'got'), 'whole=true asks for everything');
  assert.equal(sum(third, 'written'), 0);
  assert.equal(typed(third, 'Observation').changes_since, null);
});

test('what is new and what changed comes', async () => {
  const { user } = await connected('changed');
  await change(observation('refresh-1', 'one'));
  const first = await again(user);
  assert.equal(sum(first, 'written'), 1);
  await change(observation('refresh-1', 'two'));
  await change(observation('refresh-2', 'new'));
  const next = await again(user);
  assert.equal(sum(next, 'written'), 2);
  const found = await world.all(user, '/r4/Observation?code:text=refresh');
  assert.deepEqual(found.map((o) => o.valueString).sort(), ['new', 'two']);
  const two = found.find((o) => o.valueString === 'two');
  const versions = await world.get(user, `/r4/Observation/${two.id}/_history`);
  assert.deepEqual(versions.body.entry.map((e) => e.resource.valueString), ['two', 'one']);
  assert.equal(sum(await again(user), 'written'), 0);
});

test('a person who consents anew gets everything again', async () => {
  const { user } = await connected('anew');
  await change(observation('refresh-undated', 'late'), '2019-01-01T00:00:00Z');
  assert.equal(sum(await again(user), 'written'), 0, 'a change that the system does not date is not seen');
  const [{ started_at: before }] = await world.reports(user);
  await world.connect(user, withSince, login, { fhirVersion: 'r4' });
  const report = await until('the next ingest', async () => {
    const [one] = await world.reports(user);
    return one.started_at !== before && one.status === 'done' && one;
  });
  assert.equal(sum(report, 'written'), 1, 'a run of everything finds it');
});

test('a system that passes over _lastUpdated gives all, and nothing is written', async () => {
  const { user, report } = await connected('ignored');
  await faults('oracle:since-ignored');
  try {
    const next = await again(user);
    assert.equal(sum(next, 'written'), 0);
    assert.equal(typed(next, 'Observation').got, typed(report, 'Observation').got);
  } finally { await faults('oracle:'); }
});

test('a system that refuses _lastUpdated is asked for all', async () => {
  const { user, report } = await connected('refused');
  await change(observation('refresh-3', 'refused'), '2019-01-01T00:00:00Z');
  await faults('oracle:since-refused');
  try {
    const next = await again(user);
    assert.equal(typed(next, 'Observation').got, typed(report, 'Observation').got + 1);
    assert.equal(typed(next, 'Observation').status, 'done');
    assert.equal(typed(next, 'Observation').changes_since, null);
    assert.equal(sum(next, 'written'), 1);
  } finally { await faults('oracle:'); }
});

test('a type that was not complete is asked for whole', async () => {
  await faults('oracle:types-refused');
  const { user } = await connected('partly').finally(() => faults('oracle:'));
  const next = await again(user);
  assert.equal(typed(next, 'Condition').changes_since, null);
  assert.ok(typed(next, 'Condition').written > 0);
  assert.notEqual(typed(next, 'Observation').changes_since, null);
});

test('a system that does not search by _lastUpdated is asked for all', async () => {
  const { user, report } = await connected('epic', 4706);
  const next = await again(user);
  assert.equal(sum(next, 'got'), sum(report, 'got'));
  assert.equal(sum(next, 'written'), 0);
  assert.ok(next.types.every((t) => t.changes_since === null));
});
