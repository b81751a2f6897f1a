// rest-hook Subscriptions against a real receiver: what matches is told, in
// order, once, also after 503 and after kill -9; nobody else's writes are.
// Contract 7.10, FHIR Subscription.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { World } from '../support/world.mjs';
import { until } from '../support/programs.mjs';

let world, user, other, receiver, base;
const heard = [];
let answer = () => 200;

before(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (d) => { body += d; });
    request.on('end', () => {
      const call = { method: request.method, path: request.url, headers: request.headers, body };
      const status = answer(call);
      heard.push({ ...call, status });
      response.writeHead(status).end();
    });
  });
  await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
  const { port } = receiver.address();
  base = `http://127.0.0.1:${port}`;
  world = await World.start({ server: ['--outbound-allow', `127.0.0.1:${port}`] });
  user = await world.user('subscriber');
  other = await world.user('somebody else');
});
after(async () => {
  await world?.stop();
  receiver?.closeAllConnections?.();
  receiver?.close();
});

const hook = (path, criteria, extra = {}) => ({
  resourceType: 'Subscription', status: 'requested', reason: 'test', criteria,
  channel: { type: 'rest-hook', endpoint: `${base}${path}`, ...extra },
});
const observation = (code, extra = {}) => ({ resourceType: 'Observation', status: 'final', code: { coding: [{ system: 'http://loinc.org', code }] }, ...extra });
const write = async (who, resource, release = 'r4') => {
  const made = await world.send(who, 'POST', `/${release}/${resource.resourceType}`, resource);
  assert.equal(made.status, 201, made.text);
  return made.body;
};
const posts = (path) => heard.filter((c) => c.path === path && c.method === 'POST');
const ok = (path) => posts(path).filter((c) => c.status === 200);
const statusOf = async (made, release = 'r4') => (await world.get(user, `/${release}/Subscription/${made.id}`)).body;
async function subscribed(resource, release = 'r4') {
  const made = await write(user, resource, release);
  assert.equal(made.status ?? 'requested', 'requested');
  await until('the Subscription', async () => (await statusOf(made, release)).status === 'active', 30);
  return made;
}
// A second Subscription of everything tells when all before it was looked at.
let fence = 0;
async function settled() {
  const name = `/fence/${++fence}`;
  await subscribed(hook(name, 'Basic?', {}));
  await write(user, { resourceType: 'Basic', code: { text: 'fence' } });
  await until('the fence', () => ok(name).length > 0, 30);
}

test('requested becomes active after the endpoint answered', async () => {
  await subscribed(hook('/asked', 'Condition?'));
  assert.deepEqual(heard.filter((c) => c.path === '/asked').map((c) => c.method), ['OPTIONS']);
});

test('without payload: an empty POST for what matches, with the header given', async () => {
  await subscribed(hook('/empty', 'Observation?code=http://loinc.org|1-1', { header: ['Authorization: Bearer s3cret'] }));
  await write(user, observation('2-2'));
  await write(other, observation('1-1'));
  await write(user, observation('1-1'));
  await until('a call', () => ok('/empty').length > 0, 30);
  await settled();
  assert.equal(posts('/empty').length, 1);
  const [call] = posts('/empty');
  assert.equal(call.body, '');
  assert.equal(call.headers.authorization, 'Bearer s3cret');
  assert.ok(!world.server.log.includes('s3cret'));
});

test('with payload: the resource as written, creates, updates, deletions, in order', async () => {
  await subscribed(hook('/full', 'Observation?code=3-3', { payload: 'application/fhir+json' }));
  const first = await write(user, observation('3-3'));
  const second = (await world.send(user, 'PUT', `/r4/Observation/${first.id}`, { ...first, status: 'amended' })).body;
  await world.send(user, 'PUT', `/r4/Observation/${first.id}`, { ...first, code: { text: 'not any more' } });
  const again = (await world.send(user, 'PUT', `/r4/Observation/${first.id}`, { ...first, status: 'corrected' })).body;
  await world.send(user, 'DELETE', `/r4/Observation/${first.id}`);
  await until('four calls', () => ok('/full').length >= 4, 30);
  await settled();
  const calls = ok('/full');
  assert.equal(calls.length, 4);
  assert.deepEqual(calls.slice(0, 3).map((c) => JSON.parse(c.body)), [first, second, again]);
  assert.deepEqual(calls.map((c) => c.headers['x-tributary-event']), ['create', 'update', 'update', 'delete']);
  assert.ok(calls.every((c) => c.headers['content-type'] === 'application/fhir+json'));
  assert.deepEqual(JSON.parse(calls[3].body).entry, [{ request: { method: 'DELETE', url: `Observation/${first.id}` } }]);
});

test('503 is tried again, the order stays', async () => {
  await subscribed(hook('/slow', 'Observation?code=4-4', { payload: 'application/fhir+json' }));
  let left = 1;
  answer = (call) => (call.path === '/slow' && left-- > 0 ? 503 : 200);
  const ids = [];
  for (let i = 0; i < 3; i++) ids.push((await write(user, observation('4-4'))).id);
  await until('three calls', () => ok('/slow').length >= 3, 60);
  assert.deepEqual(ok('/slow').map((c) => JSON.parse(c.body).id), ids);
  assert.equal(posts('/slow')[0].status, 503);
  answer = () => 200;
});

test('a kill between commit and delivery loses nothing', async () => {
  await subscribed(hook('/killed', 'Observation?code=5-5', { payload: 'application/fhir+json' }));
  const ids = [];
  for (let i = 0; i < 3; i++) {
    ids.push((await write(user, observation('5-5'))).id);
    await world.server.kill();
    await world.startServer();
  }
  await until('three calls', () => new Set(ok('/killed').map((c) => JSON.parse(c.body).id)).size >= 3, 60);
  const order = [...new Set(ok('/killed').map((c) => JSON.parse(c.body).id))];
  assert.deepEqual(order, ids);
});

test('off and past its end tell nothing', async () => {
  const made = await subscribed(hook('/off', 'Observation?code=6-6'));
  const now = await statusOf(made);
  await world.send(user, 'PUT', `/r4/Subscription/${made.id}`, { ...now, status: 'off' });
  const ended = await subscribed({ ...hook('/ended', 'Observation?code=6-6'), end: new Date(Date.now() + 3000).toISOString() });
  await until('its end', () => Date.now() > Date.parse(ended.end), 30);
  await write(user, observation('6-6'));
  await until('off', async () => (await statusOf(ended)).status === 'off', 30);
  await settled();
  assert.equal(posts('/off').length + posts('/ended').length, 0);
});

test('DSTU2 and STU3 have them too', async () => {
  const made = await subscribed({ resourceType: 'Subscription', criteria: 'Observation?code=7-7', channel: { type: 'rest-hook', endpoint: `${base}/old`, header: 'Authorization: Bearer old', payload: 'application/json' } }, 'dstu2');
  await write(user, observation('7-7'), 'dstu2');
  await until('a call', () => ok('/old').length > 0, 30);
  assert.equal(ok('/old')[0].headers.authorization, 'Bearer old');
  assert.ok(made.id);
});

test('what cannot be served is refused with the reason', async () => {
  const refused = async (resource, text) => {
    const made = await world.send(user, 'POST', '/r4/Subscription', resource);
    assert.equal(made.status, 422, made.text);
    assert.equal(made.body.resourceType, 'OperationOutcome');
    assert.match(made.text, text);
  };
  await refused(hook('/x', 'Observation?', { type: 'websocket' }), /websocket is not offered/);
  await refused(hook('/x', 'Observation?', { type: 'email' }), /email is not offered/);
  await refused(hook('/x', 'Nonsense?code=1'), /criteria/);
  await refused(hook('/x', 'Observation?nonsense=1'), /criteria/);
  await refused(hook('/x', 'Observation?', { payload: 'application/fhir+xml' }), /xml is not offered/);
  await refused(hook('/x', 'Observation?', { header: ['Host: elsewhere'] }), /header/);
  await refused(hook('/x', 'Observation?', { header: ['A: b\r\nC: d'] }), /header/);
  for (const endpoint of ['http://example.com/x', 'https://169.254.169.254/latest', 'https://127.0.0.1/x', 'file:///etc/passwd', 'https://[::1]/'])
    await refused({ ...hook('/x', 'Observation?'), channel: { type: 'rest-hook', endpoint } }, /./);
  const batch = await world.send(user, 'POST', '/r4', { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: hook('/x', 'Observation?', { type: 'sms' }), request: { method: 'POST', url: 'Subscription' } }] });
  assert.equal(batch.status, 422);
});

test('who shares a record does not show its Subscriptions', async () => {
  const granted = await world.send(user, 'PUT', `/r4/Patient/patientid/_permission/${other.id}`);
  assert.equal(granted.status, 200);
  const own = await world.all(user, '/r4/Subscription?_count=100');
  assert.ok(own.length > 0);
  assert.equal((await world.get(other, `/r4/Subscription/${own[0].id}`)).status, 404);
  for (const path of ['/r4/Subscription?_count=100', '/r4?_count=100', '/r4?_type=Subscription,Observation&_count=100'])
    assert.ok(!(await world.get(other, path)).text.includes('s3cret'), path);
});
