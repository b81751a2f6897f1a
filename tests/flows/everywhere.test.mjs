// _id and _lastUpdated, which every resource has, with modifiers; and units in
// the parts of a composite; what real data makes of numbers and lists.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

let world, user;
const weight = (id, value, code) => ({ resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] }, valueQuantity: { value, unit: code, system: 'http://unitsofmeasure.org', code } });
before(async () => {
  world = await World.start();
  user = await world.user('everywhere');
  for (const o of [weight('kilos', 72.5, 'kg'), weight('grams', 70000, 'g'), weight('pounds', 100, '[lb_av]')])
    assert.equal((await world.send(user, 'PUT', `/r4/Observation/${o.id}`, o)).status, 201);
});
after(async () => { await world?.stop(); });

const ids = async (query) => {
  const { status, body } = await world.get(user, `/r4/Observation?${query}`, { Prefer: 'handling=strict' });
  return status === 200 ? body.entry.map((e) => e.resource.id).sort() : status;
};

test('every resource has an _id and a _lastUpdated', async () => {
  const all = ['grams', 'kilos', 'pounds'];
  for (const name of ['_id', '_lastUpdated']) {
    assert.deepEqual(await ids(`${name}:missing=false`), all);
    assert.deepEqual(await ids(`${name}:missing=true`), []);
    assert.deepEqual(await ids(`_filter=${encodeURIComponent(`${name} pr true`)}`), all);
    assert.equal(await ids(`${name}:missing=perhaps`), 400);
  }
});

test('_id:not is all others; a modifier that they have not is refused, not passed over', async () => {
  assert.deepEqual(await ids('_id:not=grams,kilos'), ['pounds']);
  assert.equal(await ids('_id:text=grams'), 400);
  assert.equal(await ids('_lastUpdated:not=2020'), 400);
});

test('ap takes in what is a tenth away to the digit, whatever binary makes of it', async () => {
  for (const [id, value] of [['low', 0.99], ['high', 1.21], ['outside', 0.98]])
    await world.send(user, 'PUT', `/r4/Observation/${id}`, { ...weight(id, value, 'mg'), code: { text: 'tenth' } });
  assert.deepEqual(await ids('code:text=tenth&value-quantity=ap1.1'), ['high', 'low']);
});

test('a list that was sent as the one that is in it is found all the same, and stays as it came', async () => {
  const code = { coding: { system: 'http://snomed.info', code: '52734007' } };
  await world.send(user, 'PUT', '/r4/Procedure/one', { resourceType: 'Procedure', id: 'one', status: 'completed', subject: { display: 'x' }, code });
  const { body } = await world.get(user, '/r4/Procedure?code=http://snomed.info|52734007');
  assert.deepEqual(body.entry.map((e) => e.resource.code), [code]);
});

test('a quantity in a composite is found in other units', async () => {
  const ask = (value) => ids(`code-value-quantity=${encodeURIComponent(`29463-7$${value}`)}`);
  assert.deepEqual(await ask('gt71|http://unitsofmeasure.org|kg'), ['kilos']);
  assert.deepEqual(await ask('lt71000|http://unitsofmeasure.org|g'), ['grams', 'pounds']);
  assert.deepEqual(await ask('70|http://unitsofmeasure.org|kg'), ['grams']);
  assert.deepEqual(await ask('ap160|http://unitsofmeasure.org|[lb_av]'), ['grams', 'kilos']);
});
