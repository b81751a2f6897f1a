// The FHIR interactions one by one: conditional ones, history of types, batch,
// parts of resources, compartments, $everything of several patients, codings.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { World } from '../support/world.mjs';

let world;
before(async () => { world = await World.start(); });
after(async () => { await world?.stop(); });

const patient = (value, more = {}) => ({ resourceType: 'Patient', identifier: [{ system: 'urn:x', value }], name: [{ family: 'Brook', given: ['Wilma'] }], gender: 'female', ...more });
const ids = (bundle) => (bundle.entry ?? []).filter((e) => e.search?.mode !== 'outcome').map((e) => e.resource.id);

test('conditional update: none, one, another id, several, no criteria', async () => {
  const user = await world.user('conditional-update');
  const put = (query, body) => world.send(user, 'PUT', `/r4/Patient?${query}`, body);
  const made = await put('identifier=urn:x|1', patient('1'));
  assert.equal(made.status, 201);
  const same = await put('identifier=urn:x|1', patient('1'));
  assert.equal(same.status, 200);
  assert.equal(same.body.meta.versionId, made.body.meta.versionId, 'unchanged');
  const again = await put('identifier=urn:x|1', patient('1', { gender: 'male' }));
  assert.equal(again.status, 200);
  assert.equal(again.body.id, made.body.id);
  assert.equal(again.body.meta.versionId, '9000000000001');
  assert.equal((await put('identifier=urn:x|1', patient('1', { id: 'other' }))).status, 400);
  const named = await put('identifier=urn:x|2', patient('2', { id: 'named' }));
  assert.equal(named.status, 201);
  assert.equal(named.body.id, 'named');
  assert.equal((await put('family=Brook', patient('3'))).status, 412);
  assert.equal((await put('', patient('3'))).status, 400);
});

test('conditional delete: none, one, several, several with _count', async () => {
  const user = await world.user('conditional-delete');
  for (const value of ['1', '2', '3']) await world.send(user, 'POST', '/r4/Patient', patient(value));
  const remove = (query) => world.send(user, 'DELETE', `/r4/Patient?${query}`);
  assert.equal((await remove('identifier=urn:x|9')).status, 200);
  assert.equal((await remove('identifier=urn:x|1')).status, 200);
  assert.equal((await remove('family=Brook')).status, 412);
  assert.equal((await world.get(user, '/r4/Patient')).body.total, 2);
  const both = await remove('family=Brook&_count=10');
  assert.equal(both.status, 200);
  assert.match(both.body.issue[0].diagnostics, /deleted 2/);
  assert.equal((await world.get(user, '/r4/Patient')).body.total, 0);
  assert.equal((await remove('')).status, 400);
});

test('If-None-Match, If-Modified-Since, lists in If-Match, stale before R4 is 409', async () => {
  const user = await world.user('preconditions');
  const made = await world.send(user, 'PUT', '/r4/Patient/p', patient('1', { id: 'p' }), { 'If-None-Match': '*' });
  assert.equal(made.status, 201);
  assert.equal((await world.send(user, 'PUT', '/r4/Patient/p', patient('1', { id: 'p' }), { 'If-None-Match': '*' })).status, 412);
  const etag = made.headers.get('etag');
  assert.equal((await world.get(user, '/r4/Patient/p', { 'If-None-Match': etag })).status, 304);
  assert.equal((await world.get(user, '/r4/Patient/p', { 'If-Modified-Since': made.headers.get('last-modified') })).status, 304);
  assert.equal((await world.get(user, '/r4/Patient/p', { 'If-Modified-Since': 'Mon, 23 Nov 2015 23:15:08 GMT' })).status, 200);
  const changed = patient('1', { id: 'p', gender: 'male' });
  assert.equal((await world.send(user, 'PUT', '/r4/Patient/p', changed, { 'If-Match': `W/"1", ${etag}` })).status, 200);
  assert.equal((await world.send(user, 'PUT', '/r4/Patient/p', changed, { 'If-Match': 'nonsense' })).status, 400);
  await world.send(user, 'PUT', '/stu3/Patient/p', patient('1', { id: 'p' }));
  assert.equal((await world.send(user, 'PUT', '/stu3/Patient/p', changed, { 'If-Match': 'W/"7"' })).status, 409);
});

test('Prefer: minimal, OperationOutcome, nonsense', async () => {
  const user = await world.user('prefer');
  const minimal = await world.send(user, 'POST', '/r4/Patient', patient('1'), { Prefer: 'return=minimal' });
  assert.equal(minimal.status, 201);
  assert.equal(minimal.text, '');
  assert.ok(minimal.headers.get('location').includes('/_history/'));
  const outcome = await world.send(user, 'POST', '/r4/Patient', patient('2'), { Prefer: 'return=OperationOutcome' });
  assert.equal(outcome.body.resourceType, 'OperationOutcome');
  assert.equal((await world.send(user, 'POST', '/r4/Patient', patient('3'), { Prefer: 'handling=sloppy' })).status, 400);
});

test('history of a type and of all, page by page while writes go on', async () => {
  const user = await world.user('histories');
  for (let i = 0; i < 25; i++) await world.send(user, 'PUT', `/r4/Patient/p${i % 5}`, patient(String(i), { id: `p${i % 5}` }));
  await world.send(user, 'PUT', '/r4/Organization/o', { resourceType: 'Organization', id: 'o', name: 'X' });
  const seen = [];
  let page = (await world.get(user, '/r4/Patient/_history?_count=4')).body;
  for (let n = 0; ; n++) {
    seen.push(...page.entry.map((e) => `${e.resource.id}/${e.resource.meta.versionId}`));
    if (n < 3) await world.send(user, 'PUT', `/r4/Patient/new${n}`, patient(String(n), { id: `new${n}` }));
    const next = page.link.find((l) => l.relation === 'next');
    if (!next) break;
    page = (await world.get(user, next.url)).body;
  }
  assert.equal(seen.length, 25);
  assert.equal(new Set(seen).size, 25);
  const whole = (await world.get(user, '/r4/_history?_count=100')).body;
  assert.equal(whole.total, 29);
  assert.ok(whole.entry.some((e) => e.resource.resourceType === 'Organization'));
  assert.equal((await world.get(user, '/r4/Patient/_history?_page=AAAA')).status, 400);
  assert.equal((await world.get(user, '/r4/Patient/_history?_since=yesterday')).status, 400);
  assert.equal((await world.get(user, '/r4/Patient/_history?_since=2999-01-01T00:00:00Z')).body.total, 0);
  assert.equal((await world.get(user, '/r4/Patient/_history?_at=1999')).body.total, 0);
});

test('a batch: each entry by itself, reads, searches and conditions among them', async () => {
  const user = await world.user('batch');
  await world.send(user, 'PUT', '/r4/Patient/p', patient('1', { id: 'p' }));
  const answer = await world.send(user, 'POST', '/r4', {
    resourceType: 'Bundle', type: 'batch', entry: [
      { request: { method: 'GET', url: 'Patient?identifier=urn:x|1' } },
      { request: { method: 'GET', url: 'Patient/nobody' } },
      { resource: patient('2'), request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:x|1' } },
      { resource: patient('3'), request: { method: 'POST', url: 'Patient' } },
      { resource: patient('4', { id: 'q' }), request: { method: 'PUT', url: 'Patient/q' } },
      { resource: patient('5', { id: 'p' }), request: { method: 'PUT', url: 'Patient/p', ifMatch: 'W/"7"' } },
      { resource: { resourceType: 'Patent' }, request: { method: 'POST', url: 'Patent' } },
      { request: { method: 'GET', url: 'Patient/p/$everything' } },
      { request: { method: 'DELETE', url: 'Patient/q' } },
    ],
  });
  assert.equal(answer.status, 200);
  const [search, missing, existing, made, put, stale, bad, everything, gone] = answer.body.entry;
  assert.deepEqual(ids(search.resource), ['p']);
  assert.match(missing.response.status, /^404/);
  assert.equal(missing.response.outcome.resourceType, 'OperationOutcome');
  assert.match(existing.response.status, /^200/);
  assert.match(existing.response.location, /^Patient\/p\/_history/);
  assert.match(made.response.status, /^201/);
  assert.match(put.response.status, /^201/);
  assert.match(stale.response.status, /^412/);
  assert.match(bad.response.status, /^4/);
  assert.equal(everything.resource.type, 'searchset');
  assert.match(gone.response.status, /^20/);
});

test('a transaction: conditions, deletions and reads together, or nothing', async () => {
  const user = await world.user('transaction');
  await world.send(user, 'PUT', '/r4/Patient/p', patient('1', { id: 'p' }));
  await world.send(user, 'PUT', '/r4/Patient/q', patient('2', { id: 'q' }));
  const send = (entry) => world.send(user, 'POST', '/r4', { resourceType: 'Bundle', type: 'transaction', entry });
  const good = await send([
    { request: { method: 'GET', url: 'Patient?family=Brook' } },
    { request: { method: 'DELETE', url: 'Patient?identifier=urn:x|2' } },
    { resource: patient('1', { gender: 'other' }), request: { method: 'PUT', url: 'Patient?identifier=urn:x|1' } },
    { fullUrl: 'urn:uuid:b', resource: { resourceType: 'Basic', code: { text: 'x' }, subject: { reference: 'Patient?identifier=urn:x|1' } }, request: { method: 'POST', url: 'Basic' } },
  ]);
  assert.equal(good.status, 200, good.text);
  assert.deepEqual(ids(good.body.entry[0].resource), ['p'], 'reads see the writes');
  assert.match(good.body.entry[1].response.status, /^204/);
  assert.match(good.body.entry[2].response.location, /^Patient\/p\//);
  assert.equal((await world.get(user, '/r4/Basic')).body.entry[0].resource.subject.reference, 'Patient/p');
  const twice = { resource: patient('9'), request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:x|9' } };
  assert.equal((await send([twice, twice])).status, 400);
  assert.equal((await send([{ resource: patient('7'), request: { method: 'POST', url: 'Patient' } }, { resource: patient('1'), request: { method: 'PUT', url: 'Patient/p', ifMatch: 'W/"3"' } }])).status, 412);
  assert.equal((await world.get(user, '/r4/Patient?identifier=urn:x|7')).body.total, 0);
});

test('_summary and _elements, on a read and in a search', async () => {
  const user = await world.user('parts');
  await world.send(user, 'PUT', '/r4/Patient/p', patient('1', { id: 'p', text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' }, maritalStatus: { text: 'M' }, contact: [{ name: { text: 'c' } }] }));
  const summary = (await world.get(user, '/r4/Patient/p?_summary=true')).body;
  assert.equal(summary.maritalStatus, undefined);
  assert.equal(summary.contact, undefined);
  assert.equal(summary.name[0].family, 'Brook');
  assert.equal(summary.meta.tag[0].code, 'SUBSETTED');
  const text = (await world.get(user, '/r4/Patient/p?_summary=text')).body;
  assert.deepEqual(Object.keys(text), ['resourceType', 'id', 'meta', 'text']);
  assert.equal((await world.get(user, '/r4/Patient/p?_summary=data')).body.text, undefined);
  const some = (await world.get(user, '/r4/Patient?_elements=gender')).body.entry[0].resource;
  assert.deepEqual(Object.keys(some), ['resourceType', 'id', 'meta', 'gender']);
  assert.equal((await world.get(user, '/r4/Patient/p?_summary=some')).status, 400);
  const whole = (await world.get(user, '/r4/Patient/p')).body;
  assert.equal(whole.meta.tag, undefined);
});

test('unknown parameters: a warning and no trace in the self link, or 400', async () => {
  const user = await world.user('lenient');
  await world.send(user, 'PUT', '/r4/Patient/p', patient('1', { id: 'p' }));
  const lenient = (await world.get(user, '/r4/Patient?shoesize=44&gender=female')).body;
  const warning = lenient.entry.find((e) => e.search.mode === 'outcome');
  assert.match(warning.resource.issue[0].diagnostics, /shoesize/);
  assert.equal(lenient.total, 1);
  assert.ok(!lenient.link[0].url.includes('shoesize'));
  assert.equal((await world.get(user, '/r4/Patient?shoesize=44', { Prefer: 'handling=strict' })).status, 400);
});

test('compartments: members only, 404 outside', async () => {
  const user = await world.user('compartments');
  for (const p of ['p', 'q']) {
    await world.send(user, 'PUT', `/r4/Patient/${p}`, patient(p, { id: p }));
    await world.send(user, 'PUT', `/r4/Practitioner/dr-${p}`, { resourceType: 'Practitioner', id: `dr-${p}` });
    await world.send(user, 'PUT', `/r4/Observation/o-${p}`, { resourceType: 'Observation', id: `o-${p}`, status: 'final', code: { coding: [{ code: 'x' }] }, subject: { reference: `Patient/${p}` }, performer: [{ reference: `Practitioner/dr-${p}` }], effectiveDateTime: p === 'p' ? '2020-05-05' : '2021-05-05' });
  }
  await world.send(user, 'PUT', '/r4/Organization/lone', { resourceType: 'Organization', id: 'lone', name: 'L' });
  assert.deepEqual(ids((await world.get(user, '/r4/Patient/p/Observation?code=x')).body), ['o-p']);
  assert.deepEqual(ids((await world.get(user, '/r4/Patient/p/*')).body), ['o-p', 'p']);
  assert.deepEqual(ids((await world.get(user, '/r4/Practitioner/dr-q/Observation')).body), ['o-q']);
  assert.equal((await world.get(user, '/r4/Patient/p/Practitioner')).status, 404);
  const all = (await world.get(user, '/r4/Patient/p/$everything')).body;
  assert.deepEqual(ids(all), ['p', 'o-p', 'lone', 'dr-p']);
  assert.equal(all.total, 4);
  assert.deepEqual(ids((await world.get(user, '/r4/Patient/p/$everything?start=2021')).body), ['p', 'lone', 'dr-p']);
  assert.equal((await world.get(user, '/r4/Patient/$everything')).body.total, 7);
  const posted = await world.send(user, 'POST', '/r4/Patient/p/$everything', { resourceType: 'Parameters', parameter: [{ name: '_type', valueString: 'Observation' }] });
  assert.deepEqual(ids(posted.body), ['o-p']);
  assert.equal((await world.send(user, 'POST', '/r4/Patient/p/$everything', { resourceType: 'Patient' })).status, 400);
  assert.equal((await world.get(user, '/r4/Observation/o-p/$everything')).status, 404);
  assert.equal((await world.send(user, 'DELETE', '/r4/Patient/p/$everything')).status, 200);
  assert.deepEqual(ids((await world.get(user, '/r4/Patient/q/$everything')).body).sort(), ['dr-q', 'o-q', 'q']);
});

test('$lastn gives the newest of each code, $docref a patient’s documents', async () => {
  const user = await world.user('lastn');
  await world.send(user, 'PUT', '/r4/Patient/p', patient('p', { id: 'p' }));
  for (const [id, code, day] of [['a1', 'a', 1], ['a2', 'a', 2], ['a3', 'a', 3], ['b1', 'b', 1]])
    await world.send(user, 'PUT', `/r4/Observation/${id}`, { resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'urn:c', code }] }, subject: { reference: 'Patient/p' }, effectiveDateTime: `2020-01-0${day}` });
  assert.deepEqual(ids((await world.get(user, '/r4/Observation/$lastn?patient=p')).body), ['a3', 'b1']);
  assert.deepEqual(ids((await world.get(user, '/r4/Observation/$lastn?patient=p&max=2')).body), ['a3', 'a2', 'b1']);
  assert.equal((await world.get(user, '/r4/Observation/$lastn?max=0')).status, 400);
  await world.send(user, 'PUT', '/r4/DocumentReference/d', { resourceType: 'DocumentReference', id: 'd', status: 'current', subject: { reference: 'Patient/p' }, context: { period: { start: '2020-02-02', end: '2020-02-03' } }, content: [{ attachment: { url: 'http://x.test' } }] });
  assert.deepEqual(ids((await world.get(user, '/r4/DocumentReference/$docref?patient=p&start=2020-01-01')).body), ['d']);
  assert.deepEqual(ids((await world.get(user, '/r4/DocumentReference/$docref?patient=p&end=2019-01-01')).body), []);
  assert.equal((await world.get(user, '/r4/DocumentReference/$docref')).status, 400);
});

test('forms of answers: _pretty, _format, Accept, gzip both ways, HEAD', async () => {
  const user = await world.user('forms');
  const headers = { Authorization: `Bearer ${user.token}` };
  await world.send(user, 'PUT', '/r4/Patient/p', patient('1', { id: 'p', photo: [{ title: 'x'.repeat(3000) }] }));
  const plain = await fetch(`${world.base}/r4/Patient/p`, { headers: { ...headers, 'Accept-Encoding': 'identity' } });
  assert.equal(plain.headers.get('content-encoding'), null);
  const packed = await fetch(`${world.base}/r4/Patient/p`, { headers: { ...headers, 'Accept-Encoding': 'gzip' } });
  assert.equal(packed.headers.get('content-encoding'), 'gzip');
  assert.match(packed.headers.get('vary'), /Accept-Encoding/);
  assert.equal(await packed.text(), await plain.text());
  const sent = await fetch(`${world.base}/r4/Patient`, { method: 'POST', headers: { ...headers, 'Content-Type': 'application/fhir+json', 'Content-Encoding': 'gzip' }, body: zlib.gzipSync(JSON.stringify(patient('2'))) });
  assert.equal(sent.status, 201);
  assert.equal((await fetch(`${world.base}/r4/Patient`, { method: 'POST', headers: { ...headers, 'Content-Type': 'application/fhir+json', 'Content-Encoding': 'br' }, body: 'x' })).status, 415);
  const pretty = await world.get(user, '/r4/Patient/p?_pretty=true');
  assert.ok(pretty.text.startsWith('{\n  "resourceType": "Patient"'));
  assert.equal((await world.get(user, '/r4/Patient/p?_pretty=maybe')).status, 400);
  assert.equal((await world.get(user, '/r4/metadata?_format=blah')).status, 406);
  assert.equal((await world.get(user, '/r4/Patient/p', { Accept: 'image/png' })).status, 406);
  assert.equal((await world.get(user, '/r4/Patient/p?_format=json', { Accept: 'image/png' })).status, 200);
  assert.equal((await fetch(`${world.base}/r4/Patient`, { method: 'POST', headers: { ...headers, 'Content-Type': 'text/plain' }, body: '{"resourceType":"Patient"}' })).status, 415);
  const head = await fetch(`${world.base}/r4/Patient/p`, { method: 'HEAD', headers });
  assert.equal(head.status, 200);
  assert.ok(head.headers.get('etag'));
  const old = await world.get(user, '/dstu2/Patient');
  assert.match(old.headers.get('content-type'), /^application\/json\+fhir/);
});

test('AuditEvent is the server’s: it is read, not written', async () => {
  const user = await world.user('auditor');
  assert.equal((await world.send(user, 'POST', '/r4/AuditEvent', { resourceType: 'AuditEvent' })).status, 405);
  assert.equal((await world.get(user, '/r4/AuditEvent')).status, 200);
});
