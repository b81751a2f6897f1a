// G. Bundles.
import { assert, bundle, elsewhere, entry, hold, ids, never, observation, outcome, patient, serve } from './support.mjs';

const s = serve();
const post = (user, body) => s.send(user, 'POST', '/r4', body);
const code = (e) => e.response.status.slice(0, 3);

hold(77, 'a transaction answers in order, with status, location, etag, date', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }));
  const { status, body } = await post(user, bundle('transaction', entry('POST', 'Patient', patient()), entry('PUT', 'Patient/p', patient({ id: 'p', gender: 'male' })), entry('DELETE', 'Patient/nobody')));
  assert.equal(status, 200);
  assert.equal(body.type, 'transaction-response');
  assert.deepEqual(body.entry.map(code), ['201', '200', '204']);
  assert.match(body.entry[0].response.status, /Created/);
  for (const e of body.entry.slice(0, 2)) assert.ok(e.response.location && e.response.etag && e.response.lastModified);
});
hold(78, 'deletes come first, reads last, whatever the order sent', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'old', identifier: [{ value: 'a' }] }));
  const { body } = await post(user, bundle('transaction', entry('GET', 'Patient?_sort=_id'), entry('PUT', 'Patient/new', patient({ id: 'new' })), entry('DELETE', 'Patient/old')));
  assert.deepEqual(ids(body.entry[0].resource), ['new']);
});
hold(79, 'one bad entry: the whole is refused, no trace is left', async () => {
  const user = await s.user();
  const answer = await post(user, bundle('transaction', entry('POST', 'Patient', patient()), entry('POST', 'Observation', patient())));
  outcome(answer, 400);
  assert.match(answer.text, /entry\[1\]/);
  assert.equal((await s.get(user, '/r4/_history')).body.total, 0);
});
hold(80, 'references between entries are pointed at the new ids, to itself and ahead too', async () => {
  const user = await s.user();
  const { body } = await post(user, bundle('transaction',
    entry('POST', 'Observation', observation({ subject: { reference: 'urn:uuid:p' }, hasMember: [{ reference: 'urn:uuid:o' }] }), { fullUrl: 'urn:uuid:o' }),
    entry('POST', 'Patient', patient({ generalPractitioner: [{ reference: 'Practitioner/7' }] }), { fullUrl: 'urn:uuid:p' }),
    entry('POST', 'Practitioner', { resourceType: 'Practitioner' }, { fullUrl: 'http://else.test/fhir/Practitioner/7' })));
  const [o, p, d] = body.entry.map((e) => e.response.location.replace(/\/_history.*/, ''));
  const made = (await s.get(user, `/r4/${o}`)).body;
  assert.equal(made.subject.reference, p);
  assert.equal(made.hasMember[0].reference, o);
  assert.equal((await s.get(user, `/r4/${p}`)).body.generalPractitioner[0].reference, d);
});
hold(81, 'a urn that is no entry’s stays as it is', async () => {
  const user = await s.user();
  const { body } = await post(user, bundle('transaction', entry('POST', 'Observation', observation({ subject: { reference: 'urn:uuid:lost' } }))));
  assert.equal((await s.get(user, `/r4/${body.entry[0].response.location}`)).body.subject.reference, 'urn:uuid:lost');
});
hold(82, 'a conditional reference: exactly one, else the whole fails', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'a', identifier: [{ system: 'urn:x', value: '1' }] }), patient({ id: 'b' }));
  const refer = (criteria) => post(user, bundle('transaction', entry('POST', 'Observation', observation({ subject: { reference: `Patient?${criteria}` } }))));
  const good = await refer('identifier=urn:x|1');
  assert.equal((await s.get(user, `/r4/${good.body.entry[0].response.location}`)).body.subject.reference, 'Patient/a');
  outcome(await refer('identifier=urn:x|9'), 412);
  outcome(await refer('family=Brook'), 412);
});
hold(83, 'ifNoneExist and ifMatch of entries are obeyed', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'a', identifier: [{ value: '1' }] }));
  const { body } = await post(user, bundle('transaction', entry('POST', 'Patient', patient({ identifier: [{ value: '1' }] }), { ifNoneExist: 'identifier=1' })));
  assert.equal(code(body.entry[0]), '200');
  assert.match(body.entry[0].response.location, /^Patient\/a\//);
  outcome(await post(user, bundle('transaction', entry('PUT', 'Patient/a', patient({ id: 'a' }), { ifMatch: 'W/"1"' }))), 412);
});
hold(84, 'the same resource twice is 400', async () => {
  const user = await s.user();
  outcome(await post(user, bundle('transaction', entry('PUT', 'Patient/a', patient({ id: 'a' })), entry('PUT', 'Patient/a', patient({ id: 'a' })))), 400);
  const same = () => entry('POST', 'Patient', patient({ identifier: [{ value: '1' }] }), { ifNoneExist: 'identifier=1' });
  outcome(await post(user, bundle('transaction', same(), same())), 400);
});
hold(85, 'reads in a transaction see what it wrote', async () => {
  const user = await s.user();
  const { body } = await post(user, bundle('transaction', entry('GET', 'Patient/a'), entry('PUT', 'Patient/a', patient({ id: 'a', gender: 'male' }))));
  assert.equal(body.entry[0].resource.gender, 'male');
});
hold(86, 'in a batch each entry stands for itself', async () => {
  const user = await s.user();
  const { status, body } = await post(user, bundle('batch', entry('POST', 'Patient', patient()), entry('GET', 'Patient/nobody'), entry('POST', 'Observation', patient()), entry('POST', 'Patient', patient())));
  assert.equal(status, 200);
  assert.deepEqual(body.entry.map(code), ['201', '404', '400', '201']);
  assert.equal(body.entry[1].response.outcome.resourceType, 'OperationOutcome');
});
hold(87, 'no request, no type, no Bundle, a collection: 400', async () => {
  const user = await s.user();
  for (const body of [bundle('transaction', { resource: patient() }), { resourceType: 'Bundle', entry: [] }, patient(), bundle('collection')]) outcome(await post(user, body), 400);
});
hold(88, 'no token is 401', async () => {
  assert.equal((await s.raw('/r4', { method: 'POST', headers: { 'Content-Type': 'application/fhir+json' }, body: JSON.stringify(bundle('batch')) })).status, 401);
});
hold(89, 'more entries than the cap: 413, and the cap is said', async () => {
  const user = await s.user();
  const text = `{"resourceType":"Bundle","type":"batch","entry":[${Array(100001).fill('{}').join(',')}]}`;
  const answer = await s.raw('/r4', { method: 'POST', headers: { 'Content-Type': 'application/fhir+json' }, body: text }, user);
  outcome(answer, 413);
  assert.match(answer.text, /100000/);
});
hold(90, 'a search in a batch is a searchset inside', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'a' }));
  const { body } = await post(user, bundle('batch', entry('GET', 'Patient?family=brook')));
  assert.equal(body.entry[0].resource.type, 'searchset');
  assert.deepEqual(ids(body.entry[0].resource), ['a']);
});
hold(91, 'an empty Bundle is 200 and empty', async () => {
  const user = await s.user();
  for (const type of ['batch', 'transaction']) assert.deepEqual((await post(user, bundle(type))).body.entry, []);
});
