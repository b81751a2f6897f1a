// Pages: a list is walked to its end while another client writes, changes and
// deletes; what was there all the time is met once.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

let world;
before(async () => { world = await World.start(); });
after(async () => { await world?.stop(); });

// Numbers as random as needed, and the same on each run.
const randomOf = (seed) => () => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return seed / 2147483648;
};
const pick = (random, list) => list[Math.floor(random() * list.length)];
const FAMILIES = ['Aberg', 'Berg', 'Österreich', 'Berg-Tal', undefined];
const BIRTHS = ['1950', '1950-02', '1950-02-03', '1980-12-31', undefined];

const person = (id, random) => ({
  resourceType: 'Patient', id, gender: 'female',
  name: [{ family: pick(random, FAMILIES), given: [pick(random, ['Ann', 'Bo', 'Cem'])] }],
  birthDate: pick(random, BIRTHS), multipleBirthInteger: Math.floor(random() * 1e9),
});
const put = async (user, release, resource) => {
  const { status, text } = await world.send(user, 'PUT', `/${release}/${resource.resourceType}/${resource.id}`, resource);
  assert.ok(status === 200 || status === 201, text);
};
const link = (bundle, relation) => bundle.link?.find((l) => l.relation === relation)?.url;
const matches = (bundle) => bundle.entry.filter((e) => e.search.mode === 'match').map((e) => e.resource);

// A user with `kept` that stay, and `gone` that are deleted on the way.
async function people(release, name, random) {
  const user = await world.user(name);
  for (let i = 0; i < 45; i++) {
    await put(user, release, person(`k${String(i).padStart(2, '0')}`, random));
    if (i % 3 === 0) await put(user, release, person(`g${String(i).padStart(2, '0')}`, random));
  }
  return user;
}

const SORTS = ['', '_sort=family', '_sort=-family,birthdate', '_sort=birthdate,-given,_id', '_sort=-_lastUpdated', '_sort=_lastUpdated', '_sort=-_id'];
for (const release of ['r4', 'stu3', 'dstu2']) {
  test(`${release}: each list, while another client writes: none twice, none left out`, async () => {
    const random = randomOf(release.length + 40);
    for (const [n, sort] of SORTS.entries()) {
      const query = release === 'dstu2' ? sort.replace(/^_sort=-(\w+)$/, '_sort:desc=$1') : sort;
      const user = await people(release, `${release} ${n}`, random);
      const whole = matches((await world.get(user, `/${release}/Patient?gender=female&_count=100&${query}`)).body).map((r) => r.id);
      const seen = [];
      let made = 0, pages = 0;
      for (let url = `/${release}/Patient?gender=female&_count=7&${query}`; url; pages++) {
        const { status, body, text } = await world.get(user, url);
        assert.equal(status, 200, text);
        assert.equal(body.total, 60, 'the total stays what it was at first');
        seen.push(...matches(body).map((r) => r.id));
        url = link(body, 'next');
        assert.ok(!url || !/_skip/.test(url));
        // the size of a page may change on the way
        if (url && pages % 2) url = url.replace('_count=7', '_count=3');
        for (let i = 0; i < 4; i++) {
          await put(user, release, person(`k${String(Math.floor(random() * 45)).padStart(2, '0')}`, random));
          await put(user, release, person(`n${made++}`, random));
        }
        await world.send(user, 'DELETE', `/${release}/Patient/g${String(pages % 15 * 3).padStart(2, '0')}`);
      }
      const kept = seen.filter((id) => id.startsWith('k'));
      assert.equal(new Set(seen).size, seen.length, `${query}: twice: ${seen}`);
      assert.equal(kept.length, 45, `${query}: left out`);
      assert.ok(pages > 9);
      if (query) {
        assert.deepEqual(kept, whole.filter((id) => id.startsWith('k')), `${query}: in the order of the first page`);
        assert.ok(seen.every((id) => !id.startsWith('n')), `${query}: nothing that came later`);
      }
    }
  });
}

test('several types, includes and compartments go on behind their last match', async () => {
  const random = randomOf(5);
  const user = await people('r4', 'mixed', random);
  for (let i = 0; i < 20; i++)
    await put(user, 'r4', { resourceType: 'Basic', id: `b${i}`, code: { text: 'x' }, subject: { reference: `Patient/k${i + 10}` } });
  const walk = async (path, each) => {
    const seen = [];
    for (let url = path, i = 0; url; i++) {
      const { status, body, text } = await world.get(user, url);
      assert.equal(status, 200, text);
      seen.push(...matches(body).map((r) => `${r.resourceType}/${r.id}`));
      each?.(body);
      url = link(body, 'next');
      await put(user, 'r4', person(`k${10 + i % 30}`, random));
      await put(user, 'r4', person(`a${i}`, random));
    }
    assert.equal(new Set(seen).size, seen.length);
    return seen.filter((s) => /\/[kb]/.test(s)).length;
  };
  assert.equal(await walk('/r4?_type=Patient,Basic&_count=6'), 65);
  assert.equal(await walk('/r4?_type=Patient,Basic&_count=6&_sort=-_lastUpdated'), 65);
  let included = 0;
  const count = (body) => { included += body.entry.filter((e) => e.search.mode === 'include').length; };
  assert.equal(await walk('/r4/Basic?_include=Basic:subject&_count=3', count), 20);
  assert.equal(await walk('/r4/Basic?_include=Basic:subject&_count=3&_sort=_lastUpdated', count), 20);
  assert.equal(included, 40, 'each page with what its own matches refer to');
  assert.equal(await walk('/r4/Patient/$everything?_count=9'), 65);
  assert.equal(await walk('/r4/Patient/k10/*?_count=1'), 2);
});

test('an app walks all its users, a friend what is shared', async () => {
  const random = randomOf(9);
  const own = await world.user('grantee');
  const users = [own];
  for (let u = 0; u < 3; u++) users.push(await world.user(`one of several ${u}`));
  for (const [u, user] of users.entries())
    for (let i = 0; i < 8; i++) await put(user, 'r4', { ...person(`p${u}${i}`, random), active: true });
  const walk = async (query, headers, writer, expected) => {
    const seen = [];
    let total;
    for (let url = `${world.base}/r4/Patient?active=true&_count=3&${query}`, i = 0; url; i++) {
      const answer = await fetch(url, { headers });
      const body = await answer.json();
      assert.equal(answer.status, 200, JSON.stringify(body));
      assert.equal(body.total, total ??= body.total);
      seen.push(...matches(body).map((r) => r.id));
      url = link(body, 'next');
      await put(users[writer], 'r4', { ...person(`p${writer}${i % 8}`, random), active: true });
      await put(users[writer], 'r4', { ...person(`new${writer}${query.length}${i}`, random), active: true });
    }
    assert.equal(new Set(seen).size, seen.length, `${seen}`);
    assert.equal(seen.filter((id) => id.startsWith('p')).length, expected, `${seen}`);
    assert.ok(total >= expected);
  };
  const keys = { ...world.keys(), 'x-oneup-user-id': 'client' };
  for (const query of ['', '_sort=-birthdate', '_sort=_lastUpdated'])
    for (const writer of [0, 2]) await walk(query, keys, writer, 32);
  for (let i = 0; i < 8; i += 2)
    assert.equal((await world.send(users[2], 'PUT', `/fhir/r4/Patient/p2${i}/_permission/${own.id}`)).status, 200);
  const mine = { Authorization: `Bearer ${own.token}` };
  for (const query of ['', '_sort=-birthdate', '_sort=_lastUpdated'])
    for (const writer of [0, 2]) await walk(query, mine, writer, 12);
});

test('a cursor is of its list and its user alone', async () => {
  const random = randomOf(13);
  const user = await people('r4', 'cursors', random);
  const other = await people('r4', 'stranger', random);
  const get = async (who, path) => {
    const { status, body } = await world.get(who, path);
    if (status !== 200) assert.equal(body.resourceType, 'OperationOutcome');
    return status;
  };
  for (const sort of ['', '&_sort=family']) {
    const first = (await world.get(user, `/r4/Patient?gender=female${sort}`)).body;
    const next = link(first, 'next');
    const page = new URL(next).searchParams.get('_page');
    const inside = Buffer.from(page, 'base64url').toString('latin1');
    assert.ok(!FAMILIES.some((f) => f && inside.includes(f)), 'no value that is sorted by');
    assert.equal(await get(user, next), 200);
    assert.equal(await get(user, `${next}&_count=2&_elements=name&_include=*`), 200, 'how it is shown may change');
    assert.equal(await get(other, next), 400);
    assert.equal(await get(user, next.replace('gender=female', 'gender=male')), 400);
    assert.equal(await get(user, `${next}&family=berg`), 400);
    assert.equal(await get(user, `${next}&_sort=birthdate`), 400);
    assert.equal(await get(user, `/r4/Observation?gender=female${sort}&_page=${page}`), 400);
    assert.equal(await get(user, `/r4/Patient/_history?_page=${page}`), 400);
    assert.equal(await get(user, `/r4/Patient/$everything?_page=${page}`), 400);
    for (const bad of ['', 'x', page.slice(1), `${page}AAAA`, `A${page.slice(1)}`, '%00', '~'])
      assert.equal(await get(user, `/r4/Patient?gender=female${sort}&_page=${bad}`), 400, bad);
    const form = await fetch(`${world.base}/r4/Patient/_search`, { method: 'POST', headers: { Authorization: `Bearer ${user.token}` }, body: new URL(next).searchParams });
    assert.equal(form.status, 200, 'a link may be posted');
  }
  const self = link((await world.get(user, link((await world.get(user, '/r4/Patient')).body, 'next'))).body, 'self');
  assert.ok(new URL(self).searchParams.get('_page'), 'self is the page that it is');
});

test('what clients send themselves works on: _afterid, _skip', async () => {
  const random = randomOf(17);
  const user = await people('stu3', 'manners', random);
  const ids = async (path) => matches((await world.get(user, path)).body).map((r) => r.id);
  const all = await ids('/stu3/Patient?_count=100');
  assert.equal(all.length, 60);
  assert.deepEqual(await ids(`/stu3/Patient?_afterid=${all[9]}`), all.slice(10, 20));
  assert.deepEqual(await ids('/stu3/Patient?_skip=20'), all.slice(20, 30));
  assert.deepEqual(await ids('/stu3/Patient?_offset=20&_sort=-_id'), [...all].reverse().slice(20, 30));
  const first = (await world.get(user, '/stu3/Patient?_skip=20')).body;
  const next = link(first, 'next');
  assert.ok(new URL(next).searchParams.get('_afterid').startsWith('~'), 'the contract’s name');
  assert.ok(!new URL(next).searchParams.has('_skip'));
  assert.deepEqual(await ids(next), all.slice(30, 40));
  const everything = await ids(`/stu3/Patient/${all[0]}/$everything?_afterid=Patient/${all[3]}`);
  assert.ok(Array.isArray(everything));
});
