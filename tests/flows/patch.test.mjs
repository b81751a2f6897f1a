// PATCH through the server: JSON Patch, FHIRPath Patch, conditional, in a
// Bundle, and what is refused; the stored text keeps its digits.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

let world;
before(async () => { world = await World.start(); });
after(async () => { await world?.stop(); });

const JSON_PATCH = { 'Content-Type': 'application/json-patch+json' };
const observation = '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00,"unit":"kg"},"identifier":[{"system":"urn:x","value":"1"}]}';
const parameters = (...operations) => ({
  resourceType: 'Parameters',
  parameter: operations.map((o) => ({
    name: 'operation',
    part: Object.entries(o).map(([name, value]) => (name === 'value' ? { name, ...value } : { name, [Number.isInteger(value) ? 'valueInteger' : 'valueString']: value })),
  })),
});
const stored = async (user) => (await world.get(user, '/r4/Observation/o')).text;

async function fresh(name) {
  const user = await world.user(name);
  const answer = await fetch(`${world.base}/r4/Observation/o`, {
    method: 'PUT', headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/fhir+json' }, body: observation,
  });
  assert.equal(answer.status, 201);
  return user;
}
const patch = (user, body, headers = JSON_PATCH, path = '/r4/Observation/o') => world.send(user, 'PATCH', path, body, headers);

test('a JSON Patch makes a new version and keeps every other byte', async () => {
  const user = await fresh('json');
  const answer = await patch(user, [
    { op: 'test', path: '/valueQuantity/value', value: 1 },
    { op: 'replace', path: '/valueQuantity/unit', value: 'g' },
    { op: 'add', path: '/note', value: [{ text: 'n' }] },
    { op: 'move', from: '/code/text', path: '/language' },
  ]);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('etag'), 'W/"9000000000001"');
  const text = await stored(user);
  assert.ok(text.endsWith(',"status":"final","valueQuantity":{"value":1.00,"unit":"g"},"identifier":[{"system":"urn:x","value":"1"}],"note":[{"text":"n"}],"language":"x"}'), text);
  const same = await patch(user, [{ op: 'replace', path: '/language', value: 'x' }]);
  assert.equal(same.status, 200);
  assert.equal(same.headers.get('etag'), 'W/"9000000000001"', 'no change, no version');
});

test('a FHIRPath Patch does', async () => {
  const user = await fresh('fhirpath');
  const answer = await patch(user, parameters(
    { type: 'replace', path: 'Observation.value', value: { valueString: 'y' } },
    { type: 'add', path: 'Observation', name: 'category', value: { valueCodeableConcept: { text: 'c' } } },
    { type: 'delete', path: "Observation.identifier.where(system='urn:x')" },
  ), {});
  assert.equal(answer.status, 200);
  const text = await stored(user);
  assert.ok(text.endsWith(',"status":"final","code":{"text":"x"},"valueString":"y","category":[{"text":"c"}]}'), text);
});

test('all or nothing: what fails is told and leaves the resource alone', async () => {
  const user = await fresh('fails');
  const before = await stored(user);
  const rows = [
    [[{ op: 'remove', path: '/code' }, { op: 'test', path: '/status', value: 'x' }], JSON_PATCH, 422, /operation 1 \(test \/status\)/],
    [[{ op: 'remove', path: '/nothing' }], JSON_PATCH, 422, /operation 0/],
    [[{ op: 'spam', path: '/code' }], JSON_PATCH, 400, /operation 0/],
    [{}, JSON_PATCH, 400, /array/],
    [undefined, JSON_PATCH, 400, /empty/],
    [[{ op: 'replace', path: '/id', value: 'z' }], JSON_PATCH, 400, /may not change id/],
    [[{ op: 'replace', path: '/resourceType', value: 'Patient' }], JSON_PATCH, 400, /resourceType/],
    [[{ op: 'replace', path: '/meta/versionId', value: '7' }], JSON_PATCH, 400, /versionId/],
    [[{ op: 'add', path: '/text', value: { status: 'generated', div: '<div><script>1</script></div>' } }], JSON_PATCH, 400, /div/],
    [[{ op: 'remove', path: '/code' }], { 'Content-Type': 'text/plain' }, 415, /json-patch/],
    [[{ op: 'remove', path: '/code' }], { ...JSON_PATCH, 'If-Match': 'W/"7"' }, 412, /version/],
    [parameters({ type: 'spam', path: 'Observation.code' }), {}, 400, /operation 0/],
    [parameters({ type: 'replace', path: 'Observation.issued', value: { valueInstant: '2020' } }), {}, 422, /nothing is there/],
  ];
  for (const [body, headers, status, diagnostics] of rows) {
    const answer = await patch(user, body, headers);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.body.resourceType, 'OperationOutcome');
    assert.match(answer.body.issue[0].diagnostics, diagnostics);
  }
  assert.equal(await stored(user), before);
  assert.equal((await patch(user, [], JSON_PATCH, '/r4/Observation/none')).status, 404);
});

test('strict handling wants a sound resource, lenient takes it', async () => {
  const user = await fresh('strict');
  const body = [{ op: 'add', path: '/status', value: 'nonsense' }, { op: 'remove', path: '/code' }];
  const refused = await patch(user, body, { ...JSON_PATCH, Prefer: 'handling=strict' });
  assert.equal(refused.status, 400, refused.text);
  assert.match(refused.body.issue[0].diagnostics, /not sound: Observation/);
  assert.match(await stored(user), /"final"/);
  assert.equal((await patch(user, [{ op: 'add', path: '/status', value: 'amended' }], { ...JSON_PATCH, Prefer: 'handling=strict' })).status, 200);
  assert.equal((await patch(user, body)).status, 200);
});

test('by criteria: none 404, one 200, several 412', async () => {
  const user = await fresh('criteria');
  const body = [{ op: 'replace', path: '/status', value: 'amended' }];
  const by = (query) => patch(user, body, JSON_PATCH, `/r4/Observation?${query}`);
  assert.equal((await by('identifier=urn:x|9')).status, 404);
  const one = await by('identifier=urn:x|1');
  assert.equal(one.status, 200, one.text);
  assert.match(await stored(user), /"amended"/);
  await world.send(user, 'PUT', '/r4/Observation/p', { resourceType: 'Observation', id: 'p', status: 'final', code: { text: 'x' }, identifier: [{ system: 'urn:x', value: '1' }] });
  assert.equal((await by('identifier=urn:x|1')).status, 412);
});

test('in a batch and a transaction: a Binary of JSON Patch, or Parameters', async () => {
  const user = await fresh('bundles');
  const binary = (operations) => ({ resourceType: 'Binary', contentType: 'application/json-patch+json', data: Buffer.from(JSON.stringify(operations)).toString('base64') });
  const entry = (resource) => ({ resource, request: { method: 'PATCH', url: 'Observation/o' } });
  const bundle = (type, ...resources) => ({ resourceType: 'Bundle', type, entry: resources.map(entry) });
  const batch = await world.send(user, 'POST', '/r4', bundle('batch', binary([{ op: 'add', path: '/language', value: 'de' }])));
  assert.equal(batch.body.entry[0].response.status.slice(0, 3), '200', batch.text);
  const transaction = await world.send(user, 'POST', '/r4', bundle('transaction', parameters({ type: 'replace', path: 'Observation.status', value: { valueCode: 'amended' } })));
  assert.equal(transaction.status, 200, transaction.text);
  const text = await stored(user);
  assert.match(text, /"language":"de"/);
  assert.match(text, /"status":"amended"/);
  const failed = await world.send(user, 'POST', '/r4', bundle('transaction', binary([{ op: 'remove', path: '/nothing' }])));
  assert.equal(failed.status, 422, failed.text);
});

test('STU3 takes patches, DSTU2 has none', async () => {
  const user = await world.user('releases');
  for (const [release, status] of [['stu3', 200], ['dstu2', 405]]) {
    const made = await world.send(user, 'PUT', `/${release}/Patient/p`, { resourceType: 'Patient', id: 'p' });
    assert.equal(made.status, 201);
    const answer = await patch(user, [{ op: 'add', path: '/gender', value: 'male' }], JSON_PATCH, `/${release}/Patient/p`);
    assert.equal(answer.status, status, answer.text);
  }
});

test('many patches at once are all done, one after the other', async () => {
  const user = await fresh('race');
  await patch(user, [{ op: 'add', path: '/note', value: [{ text: 'first' }] }]);
  const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => patch(user, [{ op: 'add', path: '/note/-', value: { text: String(i) } }])));
  assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([200]));
  assert.equal(JSON.parse(await stored(user)).note.length, 17);
});

// --- against a naive RFC 6902 of our own -------------------------------------

const SEED = Number(process.env.PATCH_SEED ?? Math.floor(Math.random() * 2 ** 31));
let state = SEED;
const random = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};
const pick = (list) => list[random(list.length)];
const NAMES = ['a', 'b', 'c/d', 'e~f', 'é', ''];

function value(depth) {
  const kind = random(depth > 2 ? 4 : 6);
  if (kind === 0) return random(5);
  if (kind === 1) return pick(['x', 'y"\\', 'é', '']);
  if (kind === 2) return pick([true, false]);
  if (kind === 3) return `${random(9)}`;
  if (kind === 4) return Array.from({ length: 1 + random(3) }, () => value(depth + 1));
  return Object.fromEntries(Array.from({ length: 1 + random(3) }, () => [pick(NAMES), value(depth + 1)]));
}

const escape = (token) => String(token).replaceAll('~', '~0').replaceAll('/', '~1');
function pathsOf(node, at = '', out = []) {
  out.push(at);
  if (Array.isArray(node)) node.forEach((v, i) => pathsOf(v, `${at}/${i}`, out));
  else if (node && typeof node === 'object') for (const [k, v] of Object.entries(node)) pathsOf(v, `${at}/${escape(k)}`, out);
  return out;
}

const split = (path) => path.slice(1).split('/').map((t) => t.replaceAll('~1', '/').replaceAll('~0', '~'));
const step = (node, token) => {
  if (Array.isArray(node) ? !/^(0|[1-9]\d*)$/.test(token) || Number(token) >= node.length : !(node && typeof node === 'object' && Object.hasOwn(node, token)))
    throw new Error('nothing there');
  return node[token];
};
const get = (doc, path) => (path === '' ? doc : split(path).reduce(step, doc));
const clone = (v) => JSON.parse(JSON.stringify(v));
const sorted = (v) => (Array.isArray(v) ? v.map(sorted) : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])])) : v);
const same = (x, y) => JSON.stringify(sorted(x)) === JSON.stringify(sorted(y));

function add(doc, path, v) {
  const tokens = split(path), last = tokens.pop();
  const parent = tokens.reduce(step, doc);
  if (Array.isArray(parent)) {
    const i = last === '-' ? parent.length : /^(0|[1-9]\d*)$/.test(last) ? Number(last) : Infinity;
    if (i > parent.length) throw new Error('past the end');
    parent.splice(i, 0, v);
  } else if (parent && typeof parent === 'object') {
    parent[last] = v;
  } else {
    throw new Error('no container');
  }
}
function remove(doc, path) {
  const tokens = split(path), last = tokens.pop();
  const parent = tokens.reduce(step, doc);
  step(parent, last);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
}
function apply(doc, operations) {
  const out = clone(doc);
  for (const o of operations) {
    if (o.op === 'add') add(out, o.path, clone(o.value));
    else if (o.op === 'remove') remove(out, o.path);
    else if (o.op === 'replace') { get(out, o.path); const t = split(o.path), last = t.pop(); t.reduce(step, out)[last] = clone(o.value); }
    else if (o.op === 'test') { if (!same(get(out, o.path), o.value)) throw new Error('another'); }
    else {
      const v = clone(get(out, o.from));
      if (o.op === 'move') {
        if (o.path !== o.from && o.path.startsWith(`${o.from}/`)) throw new Error('into itself');
        if (o.path === o.from) continue;
        remove(out, o.from);
      }
      add(out, o.path, v);
    }
  }
  return out;
}

// Empty lists and objects go, on both sides.
const pruned = (v) => {
  if (Array.isArray(v)) return v.map(pruned).filter((x) => x !== undefined).length ? v.map(pruned).filter((x) => x !== undefined) : undefined;
  if (v && typeof v === 'object') {
    const left = Object.entries(v).map(([k, x]) => [k, pruned(x)]).filter(([, x]) => x !== undefined);
    return left.length ? Object.fromEntries(left) : undefined;
  }
  return v;
};

function operation(doc) {
  const inside = pathsOf(doc.x, '/x').slice(1);
  const some = () => (random(12) === 0 ? `/x/${pick(['none', '99', '-', '01', 'none/none'])}` : inside.length ? pick(inside) : '/x/a');
  const place = () => (random(2) ? some() : `${pick(['/x', ...inside])}/${pick(['-', '0', '1', ...NAMES.map(escape)])}`);
  const op = pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'add']);
  if (op === 'add') return { op, path: place(), value: value(1) };
  if (op === 'remove') return { op, path: some() };
  if (op === 'replace') return { op, path: some(), value: value(1) };
  if (op === 'test') {
    const path = some();
    let v = value(1);
    try { if (random(4)) v = clone(get(doc, path)); } catch { /* nothing there */ }
    return { op, path, value: v };
  }
  return { op, from: some(), path: place() };
}

test(`600 random patches do what a naive RFC 6902 does (PATCH_SEED=${SEED})`, async () => {
  const user = await world.user('random');
  const counts = { done: 0, refused: 0 };
  for (let n = 0; n < 600; n++) {
    const doc = { resourceType: 'Basic', id: 'r', x: Object.fromEntries(NAMES.map((k) => [k, value(0)])) };
    await world.send(user, 'PUT', '/r4/Basic/r', doc);
    const operations = [];
    let expected = doc;
    for (let k = 0; k < 1 + random(4) && expected; k++) {
      operations.push(operation(expected));
      try { expected = apply(doc, operations); } catch { expected = undefined; }
    }
    const answer = await patch(user, operations, JSON_PATCH, '/r4/Basic/r');
    const text = `${JSON.stringify(doc)}\n${JSON.stringify(operations)}\n${answer.text}`;
    const now = (await world.get(user, '/r4/Basic/r')).body;
    if (expected) {
      counts.done++;
      assert.equal(answer.status, 200, text);
      assert.ok(same(pruned(now.x), pruned(expected.x)), text);
    } else {
      counts.refused++;
      assert.equal(answer.status, 422, text);
      assert.deepEqual(now.x, doc.x, text);
    }
  }
  assert.ok(counts.done > 200 && counts.refused > 20, JSON.stringify(counts));
});
