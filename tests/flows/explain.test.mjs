// _explain: how a search was understood, clause by clause, with counts that are
// true and nothing of the record itself.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

let world, user;
const put = async (release, resource) => {
  const { status, text } = await world.send(user, 'PUT', `/${release}/${resource.resourceType}/${resource.id}`, resource);
  assert.equal(status, 201, text);
};
before(async () => {
  world = await World.start();
  user = await world.user('asks');
  for (const release of ['r4', 'stu3', 'dstu2']) {
    await put(release, { resourceType: 'Patient', id: 'p', name: [{ family: 'Secretname' }], gender: 'female' });
    for (let i = 0; i < 12; i++)
      await put(release, {
        resourceType: 'Observation', id: `o${i}`, status: i % 4 ? 'final' : 'preliminary', subject: { reference: 'Patient/p' },
        code: { coding: [{ system: 'http://loinc.org', code: i % 2 ? '8867-4' : '8480-6', display: 'Secretdisplay' }] },
        effectiveDateTime: `2020-0${1 + i % 3}-01`, valueQuantity: { value: 5 + i, system: 'http://unitsofmeasure.org', unit: 'g', code: 'g' },
      });
  }
});
after(async () => { await world?.stop(); });

// A tree as an object: the value of a part, or its parts; several as a list.
const value = (p) => p.part ? tree(p.part) : Object.entries(p).find(([k]) => k.startsWith('value'))?.[1];
const tree = (parts) => {
  const out = {};
  for (const p of parts) out[p.name] = p.name in out ? [out[p.name], value(p)].flat() : value(p);
  return out;
};
const explain = async (path) => {
  const { status, body, text, headers } = await world.get(user, path + (path.includes('?') ? '&' : '?') + '__explain=true');
  assert.equal(status, 200, text);
  assert.equal(body.resourceType, 'Parameters');
  assert.match(headers.get('content-type'), /fhir/);
  assert.ok(!/Secret/.test(text), 'nothing of the record');
  if (path.includes('/r4')) {
    const { body: outcome } = await world.send(user, 'POST', '/r4/Parameters/$validate', body);
    assert.deepEqual(outcome.issue.filter((i) => i.severity === 'error'), [], 'it is FHIR');
  }
  return tree(body.parameter);
};

for (const release of ['r4', 'stu3', 'dstu2'])
  test(`${release}: each clause with its kind, its values and true counts`, async () => {
    const x = await explain(`/${release}/Observation?code=http://loinc.org|8867-4,8480-6&date=ge2020-02&status:not=final&_count=3`);
    assert.equal(x.search.type, 'Observation');
    const [code, date, status] = x.clause;
    assert.equal(code.asked, 'code');
    assert.equal(code.type, 'token');
    assert.deepEqual(code.value, [{ system: 'http://loinc.org', code: '8867-4' }, { system: '(any)', code: '8480-6' }]);
    assert.deepEqual([code.cells, code.matches, code.left], [12, 12, 12]);
    assert.deepEqual(date.value, { prefix: 'ge', from: '2020-02-01T00:00:00.000Z', before: '2020-03-01T00:00:00.000Z' });
    assert.deepEqual([date.matches, date.left], [8, 8]);
    assert.equal(status.modifier, 'not');
    assert.deepEqual([status.matches, status.left], [3, 2]);
    assert.equal(x.result.total, 2);
    assert.equal(x.result.resources, 12);
    assert.equal(x.result.next, 'no');
    assert.equal(x.page.count, 3);
    for (const c of x.clause) assert.ok(c.microseconds >= 0 && c.index);
    assert.ok(x.timing.searchMicroseconds > 0);
    const real = await world.get(user, `/${release}/Observation?code=http://loinc.org|8867-4,8480-6&date=ge2020-02&status:not=final`);
    assert.equal(real.body.total, 2);
  });

test('quantities have the range of their digits, and other units', async () => {
  const { clause } = await explain('/r4/Observation?value-quantity=7.0|http://unitsofmeasure.org|g');
  const own = clause.value.find((v) => !v.converted);
  assert.deepEqual(own, { prefix: 'eq', number: 7, from: 6.95, before: 7.05, unitSystem: 'http://unitsofmeasure.org', unit: 'g' });
  assert.ok(clause.value.some((v) => v.converted && v.unit === 'mg' && v.number === 7000 && v.before === 7050));
  assert.equal(clause.left, 1);
});

test('chains and reverse chains, step by step', async () => {
  const chain = (await explain('/r4/Observation?subject:Patient.gender=female')).clause;
  assert.equal(chain.kind, 'chain');
  assert.equal(chain.parameter, 'subject');
  assert.deepEqual([chain.matches, chain.step.on, chain.step.parameter, chain.step.matches], [12, 'Patient', 'gender', 1]);
  assert.deepEqual(chain.step.value, { system: '(any)', code: 'female' });
  const any = (await explain('/r4/Observation?subject.name=nobody')).clause;
  assert.equal(any.kind, 'any of');
  assert.ok(any.part.some((p) => p.step.on === 'Patient') && any.left === 0);
  const has = (await explain('/r4/Patient?_has:Observation:patient:code=8867-4')).clause;
  assert.deepEqual([has.kind, has.matches, has.step.on, has.step.matches], ['reverse chain', 1, 'Observation', 6]);
  const filter = (await explain('/r4/Observation?_filter=status eq final and date lt 2020-02')).clause;
  assert.equal(filter.kind, 'all of');
  assert.deepEqual(filter.part.map((p) => p.parameter), ['status', 'date']);
});

test('what was ignored and why; sort, includes, several types, composites', async () => {
  const x = await explain('/r4/Observation?colour=red&_sort=-date,_id,shape&_include=Observation:subject:Patient&_revinclude=Foo:bar&code-value-quantity=8867-4$gt8&code:text=heart');
  assert.deepEqual(x.ignored.map((i) => i.asked), ['colour', 'shape', 'Foo:bar']);
  assert.deepEqual(x.ignored[0].why, 'no search parameter');
  assert.match(x.ignored[1].why, /sorted/);
  assert.deepEqual(x.sort.map((s) => [s.parameter, s.direction]), [['date', 'descending'], ['_id', 'ascending']]);
  assert.deepEqual(x.include, { source: 'Observation', parameter: 'subject', target: 'Patient' });
  const [pair, text] = x.clause;
  assert.equal(pair.type, 'composite');
  assert.deepEqual(pair.value.code, { system: '(any)', code: '8867-4' });
  assert.equal(pair.value['value-quantity'].prefix, 'gt');
  assert.match(text.index, /looked through/);
  const root = await explain('/r4?_type=Patient,Observation&_id=p,o1');
  assert.deepEqual(root.search.type, ['Patient', 'Observation']);
  assert.deepEqual([root.clause.kind, root.clause.left], ['ids', 2]);
  const missing = (await explain('/r4/Observation?value-quantity:missing=true')).clause;
  assert.deepEqual([missing.asksFor, missing.left], ['no value', 0]);
  const words = (await explain('/r4/Observation?_content=final')).clause;
  assert.deepEqual([words.ids, words.value], [9, undefined], 'ids that a reading found are not told');
  const names = (await explain('/r4/Patient?name=MÜLL')).clause;
  assert.deepEqual(names.value, { text: 'MÜLL', comparedAs: 'mull' });
});

test('on a link of ours, by POST, as _explain; false is an answer, odd is 400', async () => {
  const page = await world.get(user, '/r4/Observation?_sort=date&_count=5');
  const next = page.body.link.find((l) => l.relation === 'next').url;
  assert.match((await explain(next)).page.record, /first page/);
  const form = await fetch(`${world.base}/r4/Observation/_search`, { method: 'POST', headers: { Authorization: `Bearer ${user.token}` }, body: new URLSearchParams({ code: '8867-4', _explain: '' }) });
  assert.equal((await form.json()).resourceType, 'Parameters');
  assert.equal((await world.get(user, '/r4/Observation?_explain=false')).body.resourceType, 'Bundle');
  assert.equal((await world.get(user, '/r4/Observation?_explain=perhaps')).status, 400);
  assert.equal((await world.get(user, '/r4/Observation?_explain=true&date=x')).status, 400);
  assert.equal((await fetch(`${world.base}/r4/Observation?_explain=true`)).status, 401);
  const wide = await fetch(`${world.base}/r4/Observation?code=x&_explain=true`, { headers: { ...world.keys(), 'x-oneup-user-id': 'client' } });
  const body = tree((await wide.json()).parameter);
  assert.ok(body.clause.value && body.clause.matches === undefined && body.search.records);
});
