// The statements are true: the server is asked for everything that it claims,
// in strict handling, so that nothing is passed over.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

let world, user;
before(async () => {
  world = await World.start({ server: ['--access-log', 'off'] });
  user = await world.user('believer');
});
after(async () => { await world?.stop(); });

const values = { string: 'x', token: 'x', date: '2020', number: '1', quantity: '1', uri: 'http://x.test', reference: 'x', special: '1|2|3|km' };
const strict = { Prefer: 'handling=strict' };
// A composite wants its parts; the definitions do not say them here, so the
// number of parts that is not refused is the right one.
const composite = (path, name) => [2, 3].map((n) => `${path}?${name}=${encodeURIComponent(Array(n).fill('1').join('$'))}`);

async function all(jobs) {
  const failed = [];
  await Promise.all(Array.from({ length: 16 }, async () => {
    for (let job; (job = jobs.pop());) {
      const said = await job();
      if (said) failed.push(said);
    }
  }));
  return failed;
}
const expect = (method, path, body, statuses, headers = {}) => async () => {
  const answer = method === 'GET' ? await world.get(user, path, headers) : await world.send(user, method, path, body, headers);
  return statuses.includes(answer.status) ? undefined : `${method} ${path}: ${answer.status} ${(answer.text ?? '').slice(0, 160)}`;
};

for (const [release, statement] of [['r4', 'CapabilityStatement'], ['stu3', 'CapabilityStatement'], ['dstu2', 'Conformance']]) {
  let rest;
  const at = (type, tail = '') => `/${release}/${type}${tail}`;

  test(`${release}: every search parameter, include and reverse include is answered`, async () => {
    const { body } = await world.get(user, `/${release}/metadata`);
    assert.equal(body.resourceType, statement);
    [rest] = body.rest;
    const jobs = [];
    for (const r of rest.resource) {
      for (const p of r.searchParam) {
        const path = at(r.type);
        if (p.type === 'composite') {
          jobs.push(async () => {
            const told = await Promise.all(composite(path, p.name).map((url) => world.get(user, url, strict)));
            return told.some((a) => a.status === 200 || /not a date|not a number|no place/.test(a.text)) ? undefined : `${path}?${p.name}: ${told.map((a) => a.text.slice(0, 120))}`;
          });
          continue;
        }
        const value = p.name === 'near' && release !== 'r4' ? '1:2' : p.name === 'near-distance' ? '1|http://unitsofmeasure.org|km' : values[p.type];
        jobs.push(expect('GET', `${path}?${p.name}=${encodeURIComponent(value)}`, undefined, [200], strict));
      }
      for (const v of r.searchInclude) jobs.push(expect('GET', at(r.type, `?_include=${v}`), undefined, [200], strict));
      for (const v of r.searchRevInclude) jobs.push(expect('GET', at(r.type, `?_revinclude=${v}`), undefined, [200], strict));
    }
    assert.ok(jobs.length > 1000);
    assert.deepEqual((await all(jobs)).slice(0, 20), []);
  });

  test(`${release}: every interaction of every type is done, in its order`, async () => {
    const known = new Set(['read', 'vread', 'update', 'patch', 'delete', 'history-instance', 'history-type', 'create', 'search-type']);
    const jobs = rest.resource.map((r) => async () => {
      const claims = new Set(r.interaction.map((i) => i.code));
      for (const code of claims) if (!known.has(code)) return `${r.type}: ${code} is not known to this test`;
      const one = at(r.type, '/claim');
      const more = r.type === 'Subscription' ? { status: 'off', reason: 'x', criteria: 'Observation?code=x', channel: { type: 'rest-hook', endpoint: 'https://hook.test/' } } : {};
      const resource = { resourceType: r.type, id: 'claim', language: 'en', ...more };
      const writes = claims.has('update');
      const steps = [
        [writes, 'PUT', one, resource, [201]],
        [!writes, 'PUT', one, resource, [405]],
        [claims.has('create'), 'POST', at(r.type), { resourceType: r.type, ...more }, [201]],
        [!claims.has('create'), 'POST', at(r.type), { resourceType: r.type, ...more }, [405]],
        [claims.has('read'), 'GET', one, undefined, writes ? [200] : [404]],
        [claims.has('vread') && writes, 'GET', `${one}/_history/9000000000000`, undefined, [200]],
        [claims.has('history-instance') && writes, 'GET', `${one}/_history`, undefined, [200]],
        [claims.has('history-type'), 'GET', at(r.type, '/_history'), undefined, [200]],
        [claims.has('search-type'), 'GET', at(r.type, '?_count=1'), undefined, [200]],
        [claims.has('patch'), 'PATCH', one, [{ op: 'replace', path: '/language', value: 'de' }], [200], { 'Content-Type': 'application/json-patch+json' }],
        [!claims.has('patch'), 'PATCH', one, [], [405], { 'Content-Type': 'application/json-patch+json' }],
        [r.conditionalCreate, 'POST', at(r.type), { resourceType: r.type, ...more }, [200], { 'If-None-Exist': '_id=claim' }],
        [r.conditionalUpdate, 'PUT', at(r.type, '?_id=claim'), { ...resource, language: 'fr' }, [200]],
        [r.conditionalRead === 'full-support' && writes, 'GET', one, undefined, [304], { 'If-None-Match': '*' }],
        [claims.has('delete'), 'DELETE', one, undefined, [200, 204]],
        [r.conditionalDelete === 'single', 'DELETE', at(r.type, '?_id=nobody'), undefined, [200, 204]],
      ];
      for (const [is, method, path, body, statuses, headers] of steps) {
        const said = is && (await expect(method, path, body, statuses, headers)());
        if (said) return said;
      }
      return undefined;
    });
    assert.deepEqual((await all(jobs)).slice(0, 20), []);
  });

  test(`${release}: the whole system’s interactions, operations and formats`, async () => {
    const codes = rest.interaction.map((i) => i.code);
    const asks = {
      transaction: expect('POST', `/${release}`, { resourceType: 'Bundle', type: 'transaction' }, [200]),
      batch: expect('POST', `/${release}`, { resourceType: 'Bundle', type: 'batch' }, [200]),
      'search-system': expect('GET', `/${release}?_type=Patient`, undefined, [200]),
      'history-system': expect('GET', `/${release}/_history`, undefined, [200]),
    };
    for (const code of codes) assert.equal(await asks[code]?.(), undefined, code);
    await world.send(user, 'PUT', at('Patient', '/p'), { resourceType: 'Patient', id: 'p' });
    await world.send(user, 'PUT', at('Group', '/g'), { resourceType: 'Group', id: 'g', type: 'person', actual: true, member: [{ entity: { reference: 'Patient/p' } }] });
    const later = { Prefer: 'respond-async', Accept: 'application/fhir+json' };
    const operations = {
      validate: expect('POST', at('Patient', '/$validate'), { resourceType: 'Patient' }, [200]),
      everything: expect('GET', at('Patient', '/p/$everything'), undefined, [200]),
      lastn: expect('GET', at('Observation', '/$lastn'), undefined, [200]),
      docref: expect('GET', at('DocumentReference', '/$docref?patient=p'), undefined, [200]),
      export: expect('GET', `/${release}/$export`, undefined, [202], later),
      'patient-export': expect('GET', at('Patient', '/$export'), undefined, [202], later),
      'group-export': expect('GET', at('Group', '/g/$export'), undefined, [202], later),
    };
    const claimed = [...(rest.operation ?? []), ...rest.resource.flatMap((r) => r.operation ?? [])].map((o) => o.name);
    assert.ok(claimed.length > 3);
    for (const name of new Set(claimed)) assert.equal(await operations[name]?.() ?? (operations[name] ? undefined : 'not known to this test'), undefined, name);
    const { body } = await world.get(user, `/${release}/metadata`);
    for (const format of body.format) assert.equal((await world.get(user, at('Patient', `/p?_format=${encodeURIComponent(format)}`))).status, 200, format);
    assert.equal((await world.get(user, at('Patient', '/p?_format=xml'))).status, 406, 'XML is not claimed');
    assert.equal((await world.get(user, at('Patient', '/p/$graphql'))).status, 404, 'GraphQL is not claimed');
  });
}
