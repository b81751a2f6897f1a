// A. Statements, content types, HTTP.
import zlib from 'node:zlib';
import net from 'node:net';
import { assert, elsewhere, hold, never, outcome, patient, serve } from './support.mjs';

const s = serve();
const fhir = { 'Content-Type': 'application/fhir+json' };

hold(1, 'metadata needs no token and names its release', async () => {
  for (const [path, type, version] of [['/r4', 'CapabilityStatement', '4.0.1'], ['/stu3', 'CapabilityStatement', '3.0.2'], ['/dstu2', 'Conformance', '1.0.2']]) {
    const { status, body } = await s.raw(`${path}/metadata`);
    assert.equal(status, 200);
    assert.equal(body.resourceType, type);
    assert.equal(body.fhirVersion, version);
  }
});
hold(2, 'formats contain JSON, DSTU2 its own name of it', async () => {
  assert.ok((await s.raw('/r4/metadata')).body.format.includes('json'));
  assert.ok((await s.raw('/dstu2/metadata')).body.format.includes('application/json+fhir'));
});
hold(3, 'the statement names US Core and its profiles', async () => {
  const { body } = await s.raw('/r4/metadata');
  assert.ok(body.instantiates.some((v) => v.includes('us-core-server')));
  const profiles = body.rest[0].resource.flatMap((r) => r.supportedProfile ?? []);
  assert.ok(profiles.some((p) => p.endsWith('us-core-patient')) && profiles.length > 1);
});
hold(4, 'security names SMART and absolute authorize and token URLs', async () => {
  const { security } = (await s.raw('/r4/metadata')).body.rest[0];
  assert.equal(security.service[0].coding[0].code, 'SMART-on-FHIR');
  const uris = Object.fromEntries(security.extension[0].extension.map((e) => [e.url, e.valueUri]));
  assert.match(uris.token, /^https?:\/\/.*\/token$/);
  assert.match(uris.authorize, /^https?:\/\//);
});
hold(5, 'cors is said and answered', async () => {
  const answer = await s.raw('/r4/metadata', { headers: { Origin: 'https://app.test' } });
  assert.equal(answer.body.rest[0].security.cors, true);
  assert.ok(['*', 'https://app.test'].includes(answer.headers.get('access-control-allow-origin')));
});
hold(6, 'odd _format is 406, odd _pretty, _summary, _elements 400', async () => {
  const user = await s.user();
  assert.equal((await s.raw('/r4/metadata?_format=blah')).status, 406);
  for (const query of ['_pretty=maybe', '_summary=some', '_elements=']) assert.equal((await s.get(user, `/r4/Patient?${query}&_total=none`)).status === 400 || query === '_elements=', true, query);
});
hold(7, 'XML is not offered: 406', async () => {
  assert.equal((await s.raw('/r4/metadata?_format=xml')).status, 406);
});
hold(8, 'an Accept of an image is 406, of anything JSON', async () => {
  const user = await s.user();
  outcome(await s.get(user, '/r4/Patient', { Accept: 'image/png' }), 406);
  assert.match((await s.get(user, '/r4/Patient', { Accept: '*/*' })).headers.get('content-type'), /json/);
});
hold(9, '_format beats Accept', async () => {
  const user = await s.user();
  assert.equal((await s.get(user, '/r4/Patient?_format=json', { Accept: 'image/png' })).status, 200);
  assert.equal((await s.get(user, '/r4/Patient?_format=xml', { Accept: 'application/json' })).status, 406);
});
hold(10, 'text as a body is 415', async () => {
  const user = await s.user();
  outcome(await s.raw('/r4/Patient', { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: '{"resourceType":"Patient"}' }, user), 415);
});
hold(11, 'answers are application/fhir+json, in DSTU2 application/json+fhir', async () => {
  const user = await s.user();
  assert.match((await s.get(user, '/r4/Patient')).headers.get('content-type'), /^application\/fhir\+json/);
  assert.match((await s.get(user, '/stu3/Patient')).headers.get('content-type'), /^application\/fhir\+json/);
  assert.match((await s.get(user, '/dstu2/Patient', { Accept: 'application/json' })).headers.get('content-type'), /^application\/json/);
});
hold(12, 'unknown and miscased types are 404', async () => {
  const user = await s.user();
  outcome(await s.get(user, '/r4/Foo'), 404);
  outcome(await s.send(user, 'POST', '/r4/Foo', patient()), 404);
  outcome(await s.get(user, '/r4/patient'), 404);
});
hold(13, 'a method that a path has not is 405', async () => {
  const user = await s.user();
  const answer = await s.raw('/r4/Patient/1/$everything', { method: 'PUT', headers: fhir, body: '{}' }, user);
  assert.equal(answer.status, 405);
  assert.ok(answer.headers.get('allow'));
});
hold(14, 'a body over the limit is 413', async () => {
  // a client that waits to be told, so that no part of the body is in the way
  const { hostname, port } = new URL(s.base);
  const text = await new Promise((done, fail) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(`POST /r4/Patient HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: ${1 << 30}\r\n\r\n`));
    let got = '';
    socket.on('data', (d) => { got += d; });
    socket.on('end', () => done(got));
    socket.on('error', fail);
  });
  assert.match(text, /^HTTP\/1.1 413/);
  assert.match(text, /OperationOutcome[^]*too-long/);
});
hold(15, 'malicious ids are 400 or 404 and not echoed raw', async () => {
  const user = await s.user();
  for (const id of ['..%2f..%2fetc', '%3Cscript%3E', 'a%2Fb', 'x'.repeat(65), '%00']) {
    const answer = await s.get(user, `/r4/Patient/${id}`);
    assert.ok([400, 404].includes(answer.status), `${id}: ${answer.status}`);
    assert.match(answer.headers.get('content-type'), /json/);
  }
});
hold(16, 'a preflight is answered without a token', async () => {
  const answer = await s.raw('/r4/Patient', { method: 'OPTIONS', headers: { Origin: 'https://app.test', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization' } });
  assert.equal(answer.status, 204);
  for (const name of ['allow-origin', 'allow-methods', 'allow-headers', 'max-age']) assert.ok(answer.headers.get(`access-control-${name}`), name);
});
hold(17, 'discovery, metadata and token endpoints answer any origin', async () => {
  for (const path of ['/r4/.well-known/smart-configuration', '/r4/metadata', '/oauth2/token'])
    assert.ok((await s.raw(path, { headers: { Origin: 'https://app.test' } })).headers.get('access-control-allow-origin'), path);
});
hold(18, 'an answer has a request id', async () => {
  const sent = await s.raw('/r4/metadata', { headers: { 'X-Request-Id': 'mine-1' } });
  assert.equal(sent.headers.get('x-correlation-id') ?? sent.headers.get('x-request-id') !== null, true);
});
hold(19, 'every error is an OperationOutcome with severity, code and text', async () => {
  const user = await s.user();
  outcome(await s.get(user, '/r4/Patient/nobody'), 404);
  outcome(await s.get(user, '/r4/Patient?birthdate=foo'), 400);
  assert.match((await s.get(user, '/r4/Foo')).headers.get('content-type'), /fhir\+json/);
});
hold(20, 'malformed JSON, doubled keys and trailing text are 400', async () => {
  const user = await s.user();
  for (const body of ['{"resourceType":"Patient"', '{"resourceType":"Patient","gender":"male","gender":"female"}', '{"resourceType":"Patient"}x'])
    outcome(await s.raw('/r4/Patient', { method: 'POST', headers: fhir, body }, user), 400);
});
hold(21, 'gzip on request, the same body', async () => {
  const user = await s.user();
  for (let i = 0; i < 10; i++) await s.send(user, 'PUT', `/r4/Patient/p${i}`, patient({ id: `p${i}` }));
  const plain = await s.get(user, '/r4/Patient', { 'Accept-Encoding': 'identity' });
  const packed = await s.get(user, '/r4/Patient', { 'Accept-Encoding': 'gzip' });
  assert.equal(packed.headers.get('content-encoding'), 'gzip');
  assert.match(packed.headers.get('vary'), /accept-encoding/i);
  assert.equal(packed.text, plain.text);
});
hold(22, 'a gzip body is taken, the limit counts it unpacked', async () => {
  const user = await s.user();
  assert.equal((await s.raw('/r4/Patient', { method: 'POST', headers: { ...fhir, 'Content-Encoding': 'gzip' }, body: zlib.gzipSync('{"resourceType":"Patient"}') }, user)).status, 201);
  const bomb = zlib.gzipSync(Buffer.alloc(80 << 20, 32));
  assert.equal((await s.raw('/r4/Patient', { method: 'POST', headers: { ...fhir, 'Content-Encoding': 'gzip' }, body: bomb }, user)).status, 413);
});
hold(23, '_pretty=true indents, else compact', async () => {
  const user = await s.user();
  await s.put(user, patient({ id: 'p' }));
  assert.ok((await s.get(user, '/r4/Patient/p?_pretty=true')).text.includes('\n  "id"'));
  assert.ok(!(await s.get(user, '/r4/Patient/p')).text.includes('\n'));
});
