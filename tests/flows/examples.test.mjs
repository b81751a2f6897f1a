// Unbroken bytes: every official example of the three releases, every patient
// of the shared data, and our own odd ones, written through the server and read
// back: numbers to the digit, order, escapes.  Only id, meta.versionId and
// meta.lastUpdated may differ.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { World } from '../support/world.mjs';
import { root } from '../support/programs.mjs';
import { elements, members, minify } from '../support/rawjson.mjs';

const RELEASES = ['dstu2', 'stu3', 'r4'];
const shared = (process.env.TRIBUTARY_SHARED ? [process.env.TRIBUTARY_SHARED] : [path.join(root, '../shared/data'), path.join(root, '../../shared/data')])
  .find((p) => p && fs.existsSync(path.join(p, 'fhir', 'r4', 'examples.ndjson.gz')));
const skip = shared ? false : 'the shared data is not on this machine (TRIBUTARY_SHARED names its folder)';
const unzip = (file) => zlib.gunzipSync(fs.readFileSync(file)).toString('utf8');

let world;
before(async () => { world = await World.start(); });
after(async () => { await world?.stop(); });

// What must come back: all members in order, without what the server gives.
function content(text) {
  const all = members(minify(text)).filter(([name]) => name !== 'id');
  const type = all.find(([name]) => name === 'resourceType');
  const meta = members(all.find(([name]) => name === 'meta')?.[1] ?? '{}').filter(([name]) => name !== 'versionId' && name !== 'lastUpdated');
  const rest = all.filter(([name]) => name !== 'resourceType' && name !== 'meta');
  return JSON.stringify([type[1], meta, rest]);
}

// A resource's text with its type and an id of its own in its record.
function prepare(text, used) {
  const all = members(minify(text));
  const type = JSON.parse(all.find(([name]) => name === 'resourceType')[1]);
  const own = all.find(([name]) => name === 'id');
  let id = own ? JSON.parse(own[1]) : undefined;
  for (let n = 0; !id || used.has(`${type}/${id}`); n++) id = `own-${n}-${used.size}`;
  used.add(`${type}/${id}`);
  const rest = all.filter(([name]) => name !== 'id').map(([name, value]) => `"${name}":${value}`);
  return { type, id, text: `{${[`"id":"${id}"`, ...rest].join(',')}}`, source: text };
}

async function sendBundle(user, release, kind, list) {
  const entries = list.map((e) => `{"resource":${e.text},"request":{"method":"PUT","url":"${e.type}/${e.id}"}}`);
  const answer = await fetch(`${world.base}/${release}`, {
    method: 'POST', headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/fhir+json' },
    body: `{"resourceType":"Bundle","type":"${kind}","entry":[${entries.join(',')}]}`,
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text.slice(0, 500));
  const bad = JSON.parse(text).entry.map((e, i) => [e.response, list[i]]).filter(([r]) => !/^20/.test(r.status));
  assert.deepEqual(bad.map(([r, e]) => `${e.type}/${e.id}: ${r.status} ${JSON.stringify(r.outcome)}`), []);
}

// Reads all back by one batch of GETs, whose entries are cut as text.
async function readBack(user, release, list) {
  const got = [];
  for (let from = 0; from < list.length; from += 500) {
    const part = list.slice(from, from + 500);
    const answer = await world.send(user, 'POST', `/${release}`, {
      resourceType: 'Bundle', type: 'batch', entry: part.map((e) => ({ request: { method: 'GET', url: `${e.type}/${e.id}` } })),
    });
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
    const entry = members(minify(answer.text)).find(([name]) => name === 'entry')[1];
    for (const one of elements(entry)) got.push(members(one).find(([name]) => name === 'resource')?.[1]);
  }
  return got;
}

// R4's AuditEvents are the server's own: nobody else writes one.
const isTrace = (release, text) => release === 'r4' && /"resourceType"\s*:\s*"AuditEvent"/.test(text.slice(0, 40));

// They are refused alone, and travel whole inside of a Bundle that is kept.
async function traces(release, texts) {
  const user = await world.user(`traces-${release}`);
  const refused = await world.send(user, 'POST', `/${release}/AuditEvent`, JSON.parse(texts[0]));
  assert.equal(refused.status, 405, refused.text);
  const bundle = `{"resourceType":"Bundle","id":"b","type":"collection","entry":[${texts.map((t) => `{"resource":${t}}`).join(',')}]}`;
  const made = await fetch(`${world.base}/${release}/Bundle/b`, {
    method: 'PUT', headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/fhir+json' }, body: bundle,
  });
  assert.equal(made.status, 201);
  assert.equal(content((await world.get(user, `/${release}/Bundle/b`)).text), content(bundle));
  return texts.length;
}

// The server runs Subscriptions: one that has ended by its `end` is soon off.
function lasting(e, text) {
  const all = content(text);
  if (e.type !== 'Subscription') return all;
  return JSON.stringify(JSON.parse(all).map((part) => (Array.isArray(part) ? part.filter(([name]) => name !== 'status' && name !== 'error') : part)));
}

async function roundTrip(name, release, texts) {
  const user = await world.user(name);
  const used = new Set();
  const mine = texts.filter((text) => !isTrace(release, text));
  const list = mine.map((text) => prepare(text, used));
  // A conditional reference would be resolved in a transaction.
  const isPlain = (e) => !/"reference":"[A-Za-z]+\?/.test(e.text);
  for (const [kind, part] of [['transaction', list.filter(isPlain)], ['batch', list.filter((e) => !isPlain(e))]])
    for (let from = 0; from < part.length; from += 4000) await sendBundle(user, release, kind, part.slice(from, from + 4000));
  const got = await readBack(user, release, list);
  list.forEach((e, i) => {
    assert.ok(got[i], `${name}: ${e.type}/${e.id} did not come back`);
    assert.equal(lasting(e, got[i]), lasting(e, e.source), `${name}: ${e.type}/${e.id}`);
  });
  // and one by one, as a client reads: the same bytes
  for (const e of list.slice(0, 5)) {
    const single = await world.get(user, `/${release}/${e.type}/${e.id}`);
    assert.equal(lasting(e, single.text), lasting(e, e.source), `${name}: GET ${e.type}/${e.id}`);
  }
  return list.length;
}

for (const release of RELEASES) {
  test(`every official example of ${release}`, { skip }, async (t) => {
    const texts = unzip(path.join(shared, 'fhir', release, 'examples.ndjson.gz')).split('\n').filter(Boolean);
    let count = await roundTrip(`examples-${release}`, release, texts);
    const own = texts.filter((text) => isTrace(release, text));
    if (own.length) count += await traces(release, own);
    assert.equal(count, texts.length);
    t.diagnostic(`${count} examples came back as they went, ${own.length} AuditEvents of them inside of a Bundle`);
  });

  test(`every patient of ${release}`, { skip }, async (t) => {
    const folder = path.join(shared, 'patients', release);
    let count = 0, files = 0;
    for (const file of fs.readdirSync(folder).filter((f) => f.endsWith('.json.gz'))) {
      const bundle = minify(unzip(path.join(folder, file)));
      const entry = members(bundle).find(([name]) => name === 'entry');
      const texts = elements(entry[1]).map((one) => members(one).find(([name]) => name === 'resource')?.[1]).filter(Boolean);
      count += await roundTrip(`${release}-${file}`, release, texts);
      files++;
    }
    t.diagnostic(`${count} resources of ${files} bundles came back as they went`);
  });
}

// Our own: what JSON allows and parsers like to change.
const OWN = [
  '{"resourceType":"Observation","status":"final","code":{"text":"a"},"valueQuantity":{"value":1.00},"component":[{"valueQuantity":{"value":0.10}},{"valueQuantity":{"value":1.0E-22}},{"valueQuantity":{"value":-0}},{"valueQuantity":{"value":123456789012345678901234567890.123456789}},{"valueQuantity":{"value":1e400}},{"valueQuantity":{"value":1E+2}}]}',
  '{"status":"final","code":{"text":"order kept"},"zeta":1,"alpha":{"b":1,"a":2},"resourceType":"Observation","2":"two","1":"one"}',
  '{"resourceType":"Patient","name":[{"family":"Ch\\u00e9n","given":["\\u0041\\/b","\\ud83d\\ude00","😀","é","e\\u0301","\\"\\\\\\n\\t"]}],"birthDate":"1970-01-01","_birthDate":{"extension":[{"url":"http://x/1.00","valueDecimal":1.10}]}}',
  '{"resourceType":"Patient","name":[{"given":["A",null,"B"],"_given":[null,{"id":"x"},null]}],"unknownElement":{"a":[],"b":{},"c":"","d":null,"e":[null]},"fhir_comments":["kept"]}',
  '{"resourceType":"Patient","meta":{"profile":["http://x/p"],"zeta":"1","tag":[{"code":"t","display":"\\u003ct\\u003e"}],"source":"urn:x"},"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">a &lt; b &#169;  two  blanks</div>"}}',
  ' {\n\t"resourceType" : "Basic" , "code" : { "text" : " blanks  inside \\u2028 " } , "a\\u0062c" : true , "empty" : [ ] }\r\n',
];
for (const release of RELEASES) {
  test(`what parsers like to change, in ${release}`, async () => {
    assert.equal(await roundTrip(`own-${release}`, release, OWN), OWN.length);
  });
}
