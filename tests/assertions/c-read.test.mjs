// C. Read.  D. Update.
import { assert, elsewhere, hold, never, observation, outcome, patient, serve } from './support.mjs';

const s = serve();

hold(37, 'a read has ETag, Last-Modified and the id asked', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }));
  const read = await s.get(user, '/r4/Patient/p');
  assert.equal(read.body.id, 'p');
  assert.equal(read.headers.get('etag'), `W/"${read.body.meta.versionId}"`);
  assert.ok(read.headers.get('last-modified'));
});
hold(38, 'an unknown id is 404', async () => outcome(await s.get(await s.user(), '/r4/Patient/nobody'), 404));
hold(39, 'a deleted one is 410', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }));
  await s.send(user, 'DELETE', '/r4/Patient/p');
  outcome(await s.get(user, '/r4/Patient/p'), 410);
});
hold(40, 'a version; an unknown one 404, a deletion 410', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p', gender: 'male' }), patient({ id: 'p', gender: 'female' }));
  await s.send(user, 'DELETE', '/r4/Patient/p');
  const at = (n) => s.get(user, `/r4/Patient/p/_history/${9000000000000 + n}`);
  assert.equal((await at(0)).body.gender, 'male');
  assert.equal((await at(1)).body.gender, 'female');
  outcome(await at(2), 410);
  outcome(await at(7), 404);
  outcome(await s.get(user, '/r4/Patient/p/_history/x'), 404);
});
hold(41, 'If-None-Match: 304 without a body, else 200', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }));
  const etag = (await s.get(user, '/r4/Patient/p')).headers.get('etag');
  for (const value of [etag, '*', `W/"1", ${etag}`]) {
    const answer = await s.get(user, '/r4/Patient/p', { 'If-None-Match': value });
    assert.equal(answer.status, 304);
    assert.equal(answer.text, '');
  }
  assert.equal((await s.get(user, '/r4/Patient/p', { 'If-None-Match': 'W/"1"' })).status, 200);
});
hold(42, 'If-Modified-Since: 304 when it is not newer', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }));
  const date = (await s.get(user, '/r4/Patient/p')).headers.get('last-modified');
  assert.equal((await s.get(user, '/r4/Patient/p', { 'If-Modified-Since': date })).status, 304);
  assert.equal((await s.get(user, '/r4/Patient/p', { 'If-Modified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' })).status, 200);
});
hold(43, '_summary and _elements of a read: a part, tagged, what must be stays', async () => {
  const user = await s.user();
  await s.put(user, observation({ id: 'o', note: [{ text: 'n' }], valueString: 'v' }));
  const summary = (await s.get(user, '/r4/Observation/o?_summary=true')).body;
  assert.ok(!summary.note && summary.meta.tag.some((t) => t.code === 'SUBSETTED'));
  const some = (await s.get(user, '/r4/Observation/o?_elements=note')).body;
  assert.ok(some.note && some.status && some.code && !some.valueString);
});
hold(44, 'another person’s id is 404', async () => {
  const [a, b] = [await s.user(), await s.user()];
  await s.put(a, patient({ id: 'p' }));
  outcome(await s.get(b, '/r4/Patient/p'), 404);
});
hold(45, 'odd query parameters do not change a read', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }));
  assert.equal((await s.get(user, '/r4/Patient/p?_t=123&x=y')).text, (await s.get(user, '/r4/Patient/p')).text);
});

hold(46, 'update: 200, a new version, its ETag', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }));
  const answer = await s.send(user, 'PUT', '/r4/Patient/p', patient({ id: 'p', gender: 'male' }));
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('etag'), 'W/"9000000000001"');
  assert.ok(answer.headers.get('last-modified'));
});
hold(47, 'update of a new id: 201 and Location', async () => {
  const answer = await s.send(await s.user(), 'PUT', '/r4/Patient/new', patient({ id: 'new' }));
  assert.equal(answer.status, 201);
  assert.ok(answer.headers.get('location').includes('/Patient/new/_history/'));
});
hold(48, 'an id or type in the body that differs, or no id, is 400', async () => {
  const user = await s.user();
  for (const body of [patient(), patient({ id: 'q' }), observation({ id: 'p' })]) outcome(await s.send(user, 'PUT', '/r4/Patient/p', body), 400);
});
hold(49, 'If-Match: right 200, stale 412 (before R4 409), malformed 400', async () => {
  const user = await s.user();
  for (const [release, stale] of [['r4', 412], ['stu3', 409], ['dstu2', 409]]) {
    const put = (etag, gender) => s.send(user, 'PUT', `/${release}/Patient/p`, patient({ id: 'p', gender, name: undefined }), etag ? { 'If-Match': etag } : {});
    const first = await put(undefined, 'male');
    assert.equal((await put(first.headers.get('etag'), 'female')).status, 200);
    outcome(await put(first.headers.get('etag'), 'other'), stale);
    outcome(await put('soon', 'other'), 400);
  }
});
hold(50, 'If-Match with a list: any will do', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }));
  assert.equal((await s.send(user, 'PUT', '/r4/Patient/p', patient({ id: 'p', gender: 'male' }), { 'If-Match': 'W/"1", W/"9000000000000"' })).status, 200);
});
hold(51, 'If-None-Match: * on PUT: 412 when it is there, 201 when not', async () => {
  const user = await s.user();
  const put = () => s.send(user, 'PUT', '/r4/Patient/p', patient({ id: 'p' }), { 'If-None-Match': '*' });
  assert.equal((await put()).status, 201);
  outcome(await put(), 412);
});
hold(52, 'an unchanged body makes no version', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }));
  const before = (await s.get(user, '/r4/Patient/p')).body.meta;
  const again = await s.send(user, 'PUT', '/r4/Patient/p', patient({ id: 'p' }));
  assert.equal(again.status, 200);
  assert.deepEqual(again.body.meta, before);
  assert.equal((await s.get(user, '/r4/Patient/p/_history')).body.total, 1);
});
hold(53, 'update of a deleted id: 201, the versions go on', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }));
  await s.send(user, 'DELETE', '/r4/Patient/p');
  const again = await s.send(user, 'PUT', '/r4/Patient/p', patient({ id: 'p' }));
  assert.equal(again.status, 201);
  assert.equal(again.body.meta.versionId, '9000000000002');
});
hold(54, 'conditional update in all its cases', async () => {
  const user = await s.user();
  const put = (value, more) => s.send(user, 'PUT', `/r4/Patient?identifier=urn:x|${value}`, patient({ identifier: [{ system: 'urn:x', value }], ...more }));
  assert.equal((await put('1')).status, 201);
  assert.equal((await put('2', { id: 'two' })).body.id, 'two');
  assert.equal((await put('1', { gender: 'male' })).status, 200);
  outcome(await put('1', { id: 'two' }), 400);
  outcome(await s.send(user, 'PUT', '/r4/Patient?family=Brook', patient()), 412);
  outcome(await s.send(user, 'PUT', '/r4/Patient', patient()), 400);
});
hold(55, 'updates at once: versions follow each other, none is lost', async () => {
  const user = await s.user();
  const all = await Promise.all(Array.from({ length: 20 }, (_, i) => s.send(user, 'PUT', '/r4/Patient/p', patient({ id: 'p', birthDate: `19${i + 10}` }))));
  const versions = all.map((a) => Number(a.body.meta.versionId) - 9000000000000).sort((a, b) => a - b);
  assert.deepEqual(versions, Array.from({ length: 20 }, (_, i) => i));
  assert.equal((await s.get(user, '/r4/Patient/p/_history?_count=50')).body.entry.length, 20);
});
hold(56, 'another tag is a change', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }), patient({ id: 'p', meta: { tag: [{ code: 't' }] } }));
  assert.equal((await s.get(user, '/r4/Patient/p')).body.meta.versionId, '9000000000001');
});
