// The malformed and odd payloads of the shared data, each as a health system's
// answer in an ingest of its own: what is kept, mended, told and refused is what
// the table in docs/oddities.md says.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { World } from '../support/world.mjs';
import { root, run } from '../support/programs.mjs';
import { OddSystem, connectAs } from '../support/oddsystem.mjs';
import { elements, members, minify } from '../support/rawjson.mjs';

const folder = (process.env.TRIBUTARY_SHARED ? [process.env.TRIBUTARY_SHARED] : [path.join(root, '../shared/data'), path.join(root, '../../shared/data')])
  .map((p) => path.join(p, 'upstream-oddities')).find((p) => fs.existsSync(p));
const skipShared = folder ? false : 'the shared data is not on this machine (TRIBUTARY_SHARED names its folder)';

// | `file` | what is odd | suggested | ours | why |
const table = new Map(fs.readFileSync(path.join(root, 'docs/oddities.md'), 'utf8').split('\n')
  .map((line) => /^\| `([^`]+)` \|.*\| ([a-z, ]+) \|[^|]*\|$/.exec(line)).filter(Boolean).map((m) => [m[1], m[2]]));

const SYSTEM_OF = { 'made-here/smart-configuration-odd.json': 990002, 'made-here/dstu2-conformance-oauth.json': 990003, 'made-here/capabilitystatement-version-odd.json': 990004 };

// Our own, for machines without the shared data: the same oddities in short.
const about = '"subject":{"reference":"Patient/odd-1"}';
const OWN = {
  'own/deep.json': `{"resourceType":"Observation","id":"d","extension":${'[{"extension":'.repeat(40)}[]${'}]'.repeat(40)}}`,
  'own/unknown-type.json': `{"resourceType":"MoonPhase","id":"m",${about}}`,
  'own/half-pair.json': `{"resourceType":"Observation","id":"h","status":"final",${about},"valueString":"\\ud83d"}`,
  'own/controls.json': `{"resourceType":"Observation","id":"c","status":"final",${about},"valueString":"a\u0001\tb"}`,
  'own/nan.json': `{"resourceType":"Observation","id":"n","valueQuantity":{"value":NaN}}`,
  'own/bom.json': `\ufeff{"resourceType":"Observation","id":"b","status":"final",${about}}`,
  'own/twice.json': `{"resourceType":"Observation","id":"t","status":"final","status":"amended",${about}}`,
  'own/date.json': `{"resourceType":"Observation","id":"x","status":"final",${about},"effectiveDateTime":"Feb 1, 2015"}`,
  'own/numbers.json': `{"resourceType":"Observation","id":"q","status":"final",${about},"valueQuantity":{"value":0.10},"component":[{"valueQuantity":{"value":1.0E-22}}]}`,
  'own/two.ndjson': `{"resourceType":"Observation","id":"1",${about}}\r\n\r\n{"resourceType":"Observation","id":"2",${about}}`,
  'own/html.json': '<html><body>Sign in</body></html>',
  'own/other-patient.json': '{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/somebody-else"}}},{"resource":{"resourceType":"MoonPhase","id":"p","subject":{"reference":"Patient/somebody-else"}}},{"resource":{"resourceType":"Patient","id":"somebody-else"}}]}',
};

function read(line) {
  const [name, version] = line.split('\t');
  const bytes = OWN[name] !== undefined ? Buffer.from(OWN[name]) : fs.readFileSync(path.join(folder, name));
  const odd = { name, bytes, release: version === 'any' ? 'r4' : version.split('/')[0], where: 'alone', system: SYSTEM_OF[name] ?? 990001 };
  try {
    const text = bytes.toString();
    const { resourceType: type, id } = JSON.parse(text.replace(/^\ufeff/, ''));
    if (type === 'Patient' && id === 'odd-1') odd.where = 'patient';
    else if (type && type !== 'Bundle' && text[0] === '{') odd.where = 'entry';
  } catch { /* served as it is */ }
  if (odd.system !== 990001) odd.where = 'metadata';
  if (name.includes('operationoutcome-401')) odd.where = 'expired';
  if (name.endsWith('.ndjson')) odd.headers = { 'Content-Type': 'application/fhir+ndjson' };
  if (name.includes('html-error')) odd.headers = { 'Content-Type': 'application/fhir+json' };
  return odd;
}

const odds = Object.keys(OWN).map((name) => read(`${name}\tr4`));
if (folder) odds.push(...fs.readFileSync(path.join(folder, 'index.tsv'), 'utf8').trim().split('\n').slice(1).map(read));
const results = new Map();
let world, system;

// One person's connection and what came of it.
async function ingest(n) {
  const odd = odds[n];
  const user = await world.user(`odd-${n}`);
  const { end } = await connectAs(world, user, odd.system, odd.release, n);
  assert.equal(end.searchParams?.get('success'), 'true', `${odd.name}: ${end.href ?? end.text}`);
  const [report] = await world.ingested(user, 120);
  const all = await world.get(user, `/${odd.release}/?_count=50`);
  assert.equal(all.status, 200, `${odd.name}: ${all.text.slice(0, 300)}`);
  const entry = members(minify(all.text)).find(([name]) => name === 'entry');
  const resources = entry ? elements(entry[1]).map((e) => members(e).find(([name]) => name === 'resource')[1]) : [];
  results.set(odd.name, { odd, user, report, resources });
}

before(async () => {
  system = await OddSystem.start(odds);
  world = await World.start({ server: ['--outbound-allow', `127.0.0.1:${system.port}`] });
  run('tributary', ['system', 'import', '-', '--data', world.data], JSON.stringify({ systems: system.systems() }));
  const todo = odds.map((_, n) => n);
  const worker = async () => { while (todo.length) await ingest(todo.shift()); };
  await Promise.all(Array.from({ length: 24 }, worker));
}, { timeout: 300000 });
after(async () => { await world?.stop(); await system?.stop(); });

const of = (name) => results.get(`made-here/${name}`) ?? results.get(`from-fhir-test-cases/${name}`);
const warnings = ({ report }) => report.types.reduce((sum, t) => sum + t.warnings, 0);
const details = ({ report }) => report.types.map((t) => t.detail ?? '').filter(Boolean).join('\n');
const observations = ({ report }) => report.types.find((t) => t.type === 'Observation');

// The resources that a payload holds, as text.
function given(odd) {
  const text = system.bytes(odds.indexOf(odd)).toString('utf8').replace(/^\ufeff/, '');
  if (odd.name.endsWith('.ndjson')) return text.split('\n').map((l) => l.trim()).filter(Boolean).map(minify);
  const all = members(minify(text));
  if (!all.some(([name, value]) => name === 'resourceType' && value === '"Bundle"')) return [minify(text)];
  const entry = all.find(([name]) => name === 'entry');
  return entry ? elements(entry[1]).map((e) => members(e).find(([name]) => name === 'resource')?.[1]).filter(Boolean) : [];
}

// A resource's own content: without what an ingest adds or points elsewhere.
function content(text, source) {
  const has = new Set(members(source).map(([name]) => name));
  const out = [];
  for (let [name, value] of members(text)) {
    if (name === 'id' || name === 'meta' || (name === 'text' && !has.has('text'))) continue;
    if (name === 'identifier' && text !== source) {
      const list = value.startsWith('[') ? elements(value) : [value];
      const own = list.filter((one) => !(one.includes(system.base) && one.includes('"use":"usual"')));
      if (own.length === 0 && !has.has('identifier')) continue;
      value = value.startsWith('[') ? `[${own.join(',')}]` : value;
    }
    out.push(`${name}:${value.replace(/"(reference|url)":"[^"]*"/g, '"$1":""')}`);
  }
  return out.sort().join('\n');
}
const isAmong = (result, source) => result.resources.some((r) => content(r, source) === content(source, source));
const isOutcome = (text) => text.includes('"resourceType":"OperationOutcome"');

const checks = {
  kept(result) {
    assert.equal(details(result), ''); // but for references that lead nowhere
    this.there(result);
  },
  'kept, told': function (result) {
    assert.notEqual(details(result), '', 'nothing is told');
    this.there(result);
  },
  there(result) {
    const isOwn = (text) => /"resourceType":"Patient","id":"odd-1"/.test(text) && result.odd.where !== 'patient'; // read before
    for (const source of given(result.odd).filter((text) => !isOwn(text)))
      assert.ok(isAmong(result, source), `not there: ${source.slice(0, 200)}\n${result.resources.join('\n').slice(0, 2000)}`);
  },
  'mended, told': (result) => {
    assert.match(details(result), /characters that JSON has not/);
    assert.equal(result.resources.length, result.odd.where === 'patient' ? 1 : 2);
    assert.ok(result.resources.some((r) => /\\u0001|\\ufffd/.test(r)));
  },
  'Binary, told': (result) => {
    assert.match(details(result), /kept as a Binary/);
    const binary = result.resources.map((r) => JSON.parse(r)).find((r) => r.resourceType === 'Binary');
    assert.equal(Buffer.from(binary.data ?? binary.content, 'base64').toString(), given(result.odd)[0]);
    if (result.odd.release === 'r4') assert.match(binary.securityContext.reference, /^Patient\//);
  },
  'failed, told': (result) => {
    assert.equal(observations(result).status, 'failed');
    assert.match(observations(result).detail, /^the answer was no FHIR JSON/);
    assert.equal(result.resources.length, 1, 'the Patient alone');
  },
  'dropped, told': (result) => {
    assert.ok(warnings(result) > 0);
    for (const source of given(result.odd).filter(isOutcome)) assert.ok(!isAmong(result, source));
  },
  'foreign, told': (result) => {
    assert.match(details(result), /another person/);
    assert.equal(result.resources.length, 1, 'the Patient alone');
  },
  handled: () => {}, // by a test of its own, below
};

test('the table has a row for each oddity', () => {
  assert.deepEqual(odds.map((o) => o.name).filter((name) => !table.has(name)), []);
  if (folder) assert.equal(odds.length, 188 + Object.keys(OWN).length);
});

test('each oddity is handled as the table says', async (t) => {
  const counts = {};
  const wrong = [];
  for (const [name, result] of results) {
    const code = table.get(name);
    const check = checks[code.replace('binary', 'Binary')];
    counts[code] = (counts[code] ?? 0) + 1;
    try {
      assert.ok(check, `no such handling: ${code}`);
      check.call(checks, result);
    } catch (e) {
      wrong.push(`${name} (${code}): ${e.message.slice(0, 600)}`);
    }
  }
  t.diagnostic(JSON.stringify(counts));
  assert.equal(wrong.length, 0, wrong.join('\n'));
});

test('dates that are none match no search, others match their day', { skip: skipShared }, async () => {
  for (const [name, result] of results) {
    if (!/made-here\/datetime-/.test(name)) continue;
    const total = async (query) => (await world.get(result.user, `/r4/Observation?${query}`)).body.total;
    const isRead = table.get(name) === 'kept';
    assert.equal(await total('date:missing=true'), isRead ? 0 : 1, name);
    assert.equal(await total('date=ge1900-01-01'), isRead && !name.includes('datetime-10') ? 1 : 0, name);
    if (isRead && !name.includes('datetime-10')) assert.equal(await total('date=2015-02'), 1, name);
  }
});

test('of an element given twice the first counts, and alone', { skip: skipShared }, async () => {
  for (const [name, first, second] of [['patient-duplicate.json', 'active=true', 'active=false'], ['duplicate-keys.json', 'gender=female', 'gender=male']]) {
    const result = of(name);
    const hits = [];
    for (const query of [first, second]) hits.push((await world.get(result.user, `/r4/Patient?${query}`)).body.total);
    assert.equal(hits[0] + hits[1], 1, `${name}: ${hits}`);
  }
});

test('pages: the newest of a pair, relative links, loops, other hosts, other patients', { skip: skipShared }, () => {
  const pair = of('bundle-same-id-twice.json').resources.map((r) => JSON.parse(r)).filter((r) => r.resourceType === 'Observation');
  assert.deepEqual(pair.map((r) => [r.status, r.meta.versionId]), [['final', '9000000000000']]);
  assert.ok(system.second.has('made-here/searchset-next-relative.json'));
  assert.ok(of('searchset-next-relative.json').resources.some((r) => r.includes('"second"')));
  for (const name of ['searchset-next-loops.json', 'searchset-next-other-host.json', 'searchset-other-patient.json']) {
    const result = of(name);
    assert.equal(result.resources.filter((r) => r.includes('"Observation"')).length, 1, name);
    assert.ok(warnings(result) > 0, name);
    assert.equal(observations(result).status, 'partial', name);
  }
  assert.match(details(of('searchset-other-patient.json')), /another person/);
});

test('systems: odd discovery is read, a refused token is renewed', { skip: skipShared }, () => {
  assert.ok(system.refreshed.has('made-here/operationoutcome-401-text.json'));
  for (const name of ['smart-configuration-odd.json', 'dstu2-conformance-oauth.json', 'capabilitystatement-version-odd.json', 'operationoutcome-401-text.json'])
    assert.equal(of(name).report.status, 'done', name);
});

test('vendors\' ids become ours, the original is kept', { skip: skipShared }, () => {
  for (const name of ['id-80-chars.json', 'patient-id-bad-3.json', 'resource-invalid-id-1.json', 'resource-invalid-id-2.json', 'resource-invalid-id-3.json']) {
    const result = of(name);
    const own = JSON.parse(given(result.odd)[0]);
    const kept = result.resources.map((r) => JSON.parse(r)).find((r) => (r.identifier ?? []).some((i) => i.value === own.id && i.use === 'usual'));
    assert.ok(kept, name);
    assert.match(kept.id, /^[0-9a-f]{12}/);
  }
});

test('what would act in a page is served as data only', { skip: skipShared }, async () => {
  for (const name of ['narrative-script.json', 'pat-security-bad-string.json', 'pat-security-bad-xhtml.json', 'list-xhtml-xxe.json']) {
    const { user, resources } = of(name);
    const { resourceType, id } = JSON.parse(resources.find((r) => !r.includes('x-plain')) ?? resources[0]);
    const answer = await world.get(user, `/r4/${resourceType}/${id}`, { Accept: 'text/html' });
    assert.match(answer.headers.get('content-type'), /^application\/fhir\+json/, name);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', name);
  }
});

test('written through the API each is kept to the byte or refused with an outcome', async (t) => {
  const counts = {};
  const user = await world.user('writer');
  for (const [n, odd] of odds.entries()) {
    const bytes = system.bytes(n);
    const type = /"resourceType"\s*:\s*"([A-Za-z]+)"/.exec(bytes.toString('latin1'))?.[1] ?? 'Patient';
    const isBundle = type === 'Bundle';
    const answer = await fetch(`${world.base}/${odd.release}${isBundle ? '' : `/${type}`}`, {
      method: 'POST', headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/fhir+json' }, body: bytes,
    });
    const text = await answer.text();
    counts[answer.status] = (counts[answer.status] ?? 0) + 1;
    assert.ok(answer.status < 500, `${odd.name}: ${answer.status} ${text.slice(0, 300)}`);
    if (/bom.json/.test(odd.name) && !odd.name.includes('utf16')) assert.equal(answer.status, 201, odd.name);
    if (!answer.ok || isBundle) {
      if (!isBundle) assert.equal(JSON.parse(text).resourceType, 'OperationOutcome', odd.name);
      if (!isBundle) assert.ok(JSON.parse(text).issue[0].diagnostics.length > 10, odd.name);
      continue;
    }
    const got = await fetch(answer.headers.get('location').replace(/\/_history\/.*/, ''), { headers: { Authorization: `Bearer ${user.token}` } });
    const source = minify(bytes.toString('utf8').replace(/^\ufeff/, ''));
    assert.equal(content(await got.text(), source), content(source, source), odd.name);
  }
  t.diagnostic(JSON.stringify(counts));
});
