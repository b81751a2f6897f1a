// H. Search in general.
import { assert, elsewhere, hold, ids, link, never, observation, outcome, patient, q, serve } from './support.mjs';

const s = serve();
let user;
const people = async () => {
  const u = await s.user();
  const days = ['1970-01-01', '1980-02-02', '1990-03-03', undefined, '1980-02-02'];
  for (let i = 0; i < 5; i++) await s.put(u, patient({ id: `p${i}`, gender: i % 2 ? 'male' : 'female', birthDate: days[i], name: [{ family: ['Abel', 'Brook', 'Cole', 'Dale', 'Brook'][i] }] }));
  return u;
};

hold(92, 'GET and POST _search agree; query and form go together', async () => {
  user = await people();
  const form = (body, query = '') => s.raw(`/r4/Patient/_search${query}`, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body }, user);
  assert.deepEqual(ids((await form('gender=male')).body), await s.find(user, '/r4/Patient?gender=male'));
  assert.deepEqual(ids((await form('gender=male', '?family=Brook')).body), ['p1']);
});
hold(93, 'a searchset; self has what was used, next only where more is', async () => {
  const u = await people();
  const page = (await s.get(u, '/r4/Patient?_count=2&gender=female&shoesize=1')).body;
  assert.equal(page.type, 'searchset');
  const self = new URL(link(page, 'self'));
  assert.ok(self.searchParams.get('gender') === 'female' && !self.searchParams.has('shoesize'));
  assert.ok(link(page, 'next'));
  assert.ok(!link((await s.get(u, '/r4/Patient?gender=male')).body, 'next'));
});
hold(94, 'modes, and absolute fullUrls that end in type and id', async () => {
  const u = await people();
  for (const e of (await s.get(u, '/r4/Patient')).body.entry) {
    assert.equal(e.search.mode, 'match');
    assert.equal(e.fullUrl, `${s.base}/r4/Patient/${e.resource.id}`);
  }
});
hold(95, 'an unknown parameter: lenient with a warning, strict 400, nonsense 400', async () => {
  const u = await people();
  const lenient = (await s.get(u, '/r4/Patient?shoesize=44')).body;
  assert.equal(lenient.total, 5);
  assert.equal(lenient.entry.at(-1).search.mode, 'outcome');
  outcome(await s.get(u, '/r4/Patient?shoesize=44', { Prefer: 'handling=strict' }), 400);
  outcome(await s.get(u, '/r4/Patient', { Prefer: 'handling=odd' }), 400);
});
hold(96, 'a value that a parameter cannot have is 400', async () => {
  const u = await people();
  for (const query of ['birthdate=foo', 'birthdate=05', '_lastUpdated=soon']) outcome(await s.get(u, `/r4/Patient?${query}`), 400);
});
hold(97, '_count=0 counts only', async () => {
  const u = await people();
  for (const query of ['_count=0', '_summary=count']) {
    const { body } = await s.get(u, `/r4/Patient?${query}`);
    assert.equal(body.total, 5);
    assert.deepEqual(body.entry ?? [], []);
  }
});
hold(98, '_count above the largest page is cut, and next works', async () => {
  const u = await people();
  const page = await s.get(u, '/r4/Patient?_count=1000000');
  assert.equal(page.status, 200);
  assert.equal(ids(page.body).length, 5);
  const old = await s.user();
  for (let i = 0; i < 12; i++) await s.send(old, 'PUT', `/stu3/Basic/b${i}`, { resourceType: 'Basic', id: `b${i}` });
  assert.equal((await s.get(old, '/stu3/Basic?_count=5000')).status, 200);
});
hold(99, '_count that is no number is 400', async () => {
  const u = await people();
  for (const n of ['-1', 'x', '1.5']) outcome(await s.get(u, `/r4/Patient?_count=${n}`), 400);
});
hold(100, 'next gives every match once while others write', async () => {
  const u = await s.user();
  for (let i = 0; i < 30; i++) await s.put(u, patient({ id: `m${String(i).padStart(2, '0')}` }));
  const seen = [];
  let n = 0;
  for (let url = '/r4/Patient?_count=7&family=brook'; url;) {
    const page = (await s.get(u, url)).body;
    seen.push(...ids(page));
    await s.put(u, patient({ id: `a${n++}` }));
    await s.send(u, 'DELETE', `/r4/Patient/${seen[0]}`);
    url = link(page, 'next');
  }
  const mine = seen.filter((id) => id.startsWith('m'));
  assert.equal(mine.length, 30);
  assert.equal(new Set(mine).size, 30);
});
hold(101, 'a cursor that was changed is 400, never 500', async () => {
  const u = await people();
  outcome(await s.get(u, '/r4/Patient/_history?_page=%00%ff'), 400);
  outcome(await s.get(u, '/r4/Patient/p0/$everything?_afterid=nonsense'), 400);
  assert.ok([200, 400].includes((await s.get(u, '/r4/Patient?_afterid=%00')).status));
});
hold(102, '_total: accurate is exact, none absent, odd 400', async () => {
  const u = await people();
  assert.equal((await s.get(u, '/r4/Patient?_total=accurate&_count=1')).body.total, 5);
  assert.equal((await s.get(u, '/r4/Patient?_total=none')).body.total, undefined);
  assert.ok((await s.get(u, '/r4/Patient?_total=estimate')).body.total >= 0);
  outcome(await s.get(u, '/r4/Patient?_total=some'), 400);
});
hold(103, '_summary=count has a total alone', async () => {
  const u = await people();
  const { body } = await s.get(u, '/r4/Patient?_summary=count&gender=male');
  assert.equal(body.total, 2);
  assert.ok(!link(body, 'next') && (body.entry ?? []).length === 0);
});
hold(104, '_elements with another _summary is 400', async () => {
  outcome(await s.get(await people(), '/r4/Patient?_elements=name&_summary=true'), 400);
});
hold(105, '_sort: by date and text, both ways, what has no value included; unknown keys', async () => {
  const u = await people();
  const sorted = (key) => s.find(u, `/r4/Patient?_sort=${key}`);
  assert.deepEqual(await sorted('birthdate'), ['p0', 'p1', 'p4', 'p2', 'p3']);
  assert.deepEqual(await sorted('-birthdate'), ['p2', 'p1', 'p4', 'p0', 'p3']);
  assert.deepEqual(await sorted('family'), ['p0', 'p1', 'p4', 'p2', 'p3']);
  assert.deepEqual((await sorted('_lastUpdated')).length, 5);
  assert.equal((await s.get(u, '/r4/Patient?_sort=shoesize')).body.entry.at(-1).search.mode, 'outcome');
  outcome(await s.get(u, '/r4/Patient?_sort=shoesize', { Prefer: 'handling=strict' }), 400);
});
hold(106, '_sort by two keys', async () => {
  const u = await people();
  assert.deepEqual(await s.find(u, '/r4/Patient?_sort=gender,-family'), ['p2', 'p4', 'p0', 'p3', 'p1']);
});
hold(107, '_id: comma is or, twice is and', async () => {
  const u = await people();
  assert.deepEqual(await s.find(u, '/r4/Patient?_id=p1,p3'), ['p1', 'p3']);
  assert.deepEqual(await s.find(u, '/r4/Patient?_id=p1&_id=p3'), []);
});
hold(108, '_lastUpdated to the millisecond', async () => {
  const u = await people();
  const at = (await s.get(u, '/r4/Patient/p2')).body.meta.lastUpdated;
  assert.ok((await s.find(u, `/r4/Patient?_lastUpdated=${at}`)).includes('p2'));
  assert.ok(!(await s.find(u, `/r4/Patient?_lastUpdated=gt${at}`)).includes('p2'));
  assert.ok((await s.find(u, `/r4/Patient?_lastUpdated=ge${at}`)).includes('p2'));
});
hold(109, 'an empty value asks for nothing: ignored, or 400 when strict', async () => {
  const u = await people();
  assert.equal((await s.get(u, '/r4/Patient?name=')).status, 200);
  outcome(await s.get(u, '/r4/Patient?name=', { Prefer: 'handling=strict' }), 400);
});
hold(110, 'escapes of , | $ and \\', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'p', identifier: [{ system: 'urn:x', value: 'a,b|c$d\\e' }] }), patient({ id: 'r', identifier: [{ value: 'a' }] }));
  assert.deepEqual(await s.find(u, `/r4/Patient?identifier=${q('a\\,b\\|c\\$d\\\\e')}`), ['p']);
});
hold(111, 'a search of all with _type; unknown types are 400', async () => {
  const u = await people();
  await s.put(u, observation({ id: 'o' }));
  assert.equal((await s.get(u, '/r4?_type=Patient,Observation')).body.total, 6);
  assert.deepEqual(await s.find(u, '/r4?_type=Observation'), ['o']);
  outcome(await s.get(u, '/r4?_type=Foo'), 400);
});
hold(112, 'another person’s id finds nothing', async () => {
  await people();
  assert.deepEqual(await s.find(await s.user(), '/r4/Observation?patient=p0'), []);
});
hold(113, ':missing on every kind; only true and false', async () => {
  const u = await people();
  assert.deepEqual(await s.find(u, '/r4/Patient?birthdate:missing=true'), ['p3']);
  for (const name of ['name', 'identifier', 'general-practitioner', '_profile']) assert.equal((await s.find(u, `/r4/Patient?${name}:missing=${name !== 'name'}`)).length, 5, name);
  assert.equal((await s.get(u, '/r4/Observation?value-quantity:missing=true')).status, 200);
  outcome(await s.get(u, '/r4/Patient?name:missing=maybe'), 400);
});
hold(114, 'a modifier that does not fit is 400', async () => {
  const u = await people();
  for (const name of ['gender:frob', 'gender:contains', 'birthdate:exact', 'name:above']) outcome(await s.get(u, `/r4/Patient?${name}=x`), 400);
});
hold(115, ':not finds those without, never the deleted', async () => {
  const u = await people();
  await s.put(u, patient({ id: 'x', gender: undefined }), patient({ id: 'y' }));
  await s.send(u, 'DELETE', '/r4/Patient/y');
  assert.deepEqual(await s.find(u, '/r4/Patient?gender:not=female'), ['p1', 'p3', 'x']);
});
hold(116, 'repeated is and, comma is or', async () => {
  const u = await people();
  assert.deepEqual(await s.find(u, '/r4/Patient?family=abel,brook&gender=female'), ['p0', 'p4']);
  assert.deepEqual(await s.find(u, '/r4/Patient?birthdate=ge1975&birthdate=lt1985'), ['p1', 'p4']);
});
hold(117, 'compartments: members, all of them, and what is outside', async () => {
  const u = await people();
  await s.put(u, observation({ id: 'o', subject: { reference: 'Patient/p0' } }), observation({ id: 'z', subject: { reference: 'Patient/p1' } }));
  assert.deepEqual(await s.find(u, '/r4/Patient/p0/Observation?status=final'), ['o']);
  assert.deepEqual(await s.find(u, '/r4/Patient/p0/*'), ['o', 'p0']);
  outcome(await s.get(u, '/r4/Patient/p0/Practitioner'), 404);
});
