// The search grammar beyond names and dates: of-type, value sets, units,
// places, lists, words, filters, chains over several types.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

let world, user;
const ids = (bundle) => (bundle.entry ?? []).filter((e) => e.search?.mode !== 'outcome').map((e) => e.resource.id);
const find = async (path) => {
  const answer = await world.get(user, path);
  assert.equal(answer.status, 200, `${path}: ${answer.text.slice(0, 300)}`);
  return ids(answer.body);
};
const status = async (path) => (await world.get(user, path)).status;
const q = encodeURIComponent;

before(async () => {
  world = await World.start();
  user = await world.user('grammar');
  const put = async (resource, release = 'r4') => {
    const answer = await world.send(user, 'PUT', `/${release}/${resource.resourceType}/${resource.id}`, resource);
    assert.equal(answer.status, 201, answer.text);
  };
  const mr = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] };
  await put({ resourceType: 'Patient', id: 'p', gender: 'female', birthDate: '1970-03-04', name: [{ family: 'Brook', given: ['Wilma'] }], identifier: [{ type: mr, system: 'urn:h', value: '12345' }] });
  await put({ resourceType: 'Patient', id: 'q', gender: 'male', birthDate: '2001-01-01', name: [{ family: 'Rivers' }], identifier: [{ type: { coding: [{ system: 'urn:t', code: 'SS' }] }, value: '12345' }] });
  for (const [id, value, unit] of [['a', 5.4, 'g'], ['b', 5400, 'mg'], ['c', 6, 'g'], ['d', 37, 'Cel']])
    await put({ resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'urn:c', code: id }], text: 'Weight of the stone' }, subject: { reference: 'Patient/p' }, valueQuantity: { value, unit, system: 'http://unitsofmeasure.org', code: unit } });
  await put({ resourceType: 'Location', id: 'home', position: { latitude: 42.256500, longitude: -83.694810 } });
  await put({ resourceType: 'Location', id: 'away', position: { latitude: 43.256500, longitude: -83.694810 } });
  await put({ resourceType: 'Location', id: 'old', position: { latitude: 42.2565, longitude: -83.69481 } }, 'stu3');
  await put({ resourceType: 'List', id: 'mine', status: 'current', mode: 'working', entry: [{ item: { reference: 'Observation/b' } }, { item: { reference: 'Patient/q' } }] });
  await put({ resourceType: 'ValueSet', id: 'some', url: 'urn:set', status: 'active', compose: { include: [{ system: 'urn:c', concept: [{ code: 'a' }, { code: 'c' }] }] } });
  await put({ resourceType: 'DiagnosticReport', id: 'r', status: 'final', text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><b>Bone</b> fracture of the Wrist</div>' }, code: { text: 'Report' }, subject: { reference: 'Patient/p' }, conclusion: 'Nothing unusual' });
  await put({ resourceType: 'Practitioner', id: 'dr', name: [{ family: 'Brook' }] });
  await put({ resourceType: 'Organization', id: 'org', name: 'Brook Hospital' });
  await put({ resourceType: 'Patient', id: 's', generalPractitioner: [{ reference: 'Practitioner/dr' }] });
  await put({ resourceType: 'Patient', id: 't', generalPractitioner: [{ reference: 'Organization/org' }] });
});
after(async () => { await world?.stop(); });

test(':of-type wants type and value of one identifier', async () => {
  const of = (system, code, value) => `/r4/Patient?identifier:of-type=${q(`${system}|${code}|${value}`)}`;
  assert.deepEqual(await find(of('http://terminology.hl7.org/CodeSystem/v2-0203', 'MR', '12345')), ['p']);
  assert.deepEqual(await find(of('urn:t', 'SS', '12345')), ['q']);
  assert.deepEqual(await find(of('urn:t', 'MR', '12345')), []);
  assert.deepEqual(await find(of('urn:t', 'SS', '1234')), []);
  assert.deepEqual(await find('/r4/Patient?identifier=MR'), []);
  assert.deepEqual(await find('/r4/Patient?identifier:missing=true'), ['s', 't']);
  assert.equal(await status('/r4/Patient?identifier:of-type=MR'), 400);
});

test(':in and :not-in with a set of FHIR’s own and with one of the record', async () => {
  assert.deepEqual(await find('/r4/Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender'), ['p', 'q']);
  assert.deepEqual(await find('/r4/Patient?gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender'), ['s', 't']);
  assert.deepEqual(await find('/r4/Observation?code:in=urn:set'), ['a', 'c']);
  assert.deepEqual(await find('/r4/Observation?code:in=ValueSet/some'), ['a', 'c']);
  assert.deepEqual(await find('/r4/Observation?code:not-in=urn:set'), ['b', 'd']);
  assert.equal(await status('/r4/Observation?code:in=urn:unknown'), 400);
});

test('quantities are compared in their units', async () => {
  const value = (text) => `/r4/Observation?value-quantity=${q(text)}`;
  assert.deepEqual(await find(value('5.4|http://unitsofmeasure.org|g')), ['a', 'b']);
  assert.deepEqual(await find(value('gt5.5|http://unitsofmeasure.org|g')), ['c']);
  assert.deepEqual(await find(value('ge5.4|http://unitsofmeasure.org|g')), ['a', 'b', 'c']);
  assert.deepEqual(await find(value('98.6|http://unitsofmeasure.org|[degF]')), ['d']);
  assert.deepEqual(await find(value('5.4||g')), ['a']);
  assert.deepEqual(await find(value('5.4|urn:x|g')), []);
  assert.equal(await status(value('5|a|b|c')), 400);
});

test('near: within a distance, in each release’s form', async () => {
  assert.deepEqual(await find(`/r4/Location?near=${q('42.2|-83.69|20|km')}`), ['home']);
  assert.deepEqual(await find(`/r4/Location?near=${q('42.2|-83.69|100|[mi_i]')}`), ['away', 'home']);
  assert.deepEqual(await find(`/stu3/Location?near=${q('42.2:-83.69')}&near-distance=${q('20|http://unitsofmeasure.org|km')}`), ['old']);
  assert.deepEqual(await find(`/stu3/Location?near=${q('42.2:-83.69')}&near-distance=${q('2|http://unitsofmeasure.org|km')}`), []);
  assert.equal(await status('/r4/Location?near=here'), 400);
  assert.equal(await status('/r4/Location?near=4'), 400);
});

test('_list, _text, _content', async () => {
  assert.deepEqual(await find('/r4/Observation?_list=mine'), ['b']);
  assert.deepEqual(await find('/r4/Patient?_list=mine'), ['q']);
  assert.deepEqual(await find('/r4/Patient?_list=none'), []);
  assert.equal(await status('/r4/Patient?_list=$current-problems'), 400);
  assert.deepEqual(await find('/r4/DiagnosticReport?_text=wrist%20bone'), ['r']);
  assert.deepEqual(await find('/r4/DiagnosticReport?_text=xhtml'), []);
  assert.deepEqual(await find('/r4/DiagnosticReport?_text=unusual'), []);
  assert.deepEqual(await find('/r4/DiagnosticReport?_content=unusual'), ['r']);
  assert.deepEqual(await find('/r4/Observation?_content=stone&code=b'), ['b']);
});

test(':below and :above on codes, by FHIR’s hierarchies and by those of the record', async () => {
  const T = 'http://terminology.hl7.org/CodeSystem';
  const put = async (resource, release = 'r4') => assert.equal((await world.send(user, 'PUT', `/${release}/${resource.resourceType}/${resource.id}`, resource)).status, 201);
  for (const code of ['AMB', 'IMP', 'ACUTE', 'NONAC'])
    await put({ resourceType: 'Encounter', id: `e-${code.toLowerCase()}`, status: 'finished', class: { system: `${T}/v3-ActCode`, code } });
  const of = (type, name, value) => find(`/r4/${type}?${name}=${q(value)}`);
  assert.deepEqual(await of('Encounter', 'class:below', `${T}/v3-ActCode|IMP`), ['e-acute', 'e-imp', 'e-nonac']);
  assert.deepEqual(await of('Encounter', 'class:below', 'IMP'), ['e-acute', 'e-imp', 'e-nonac'], 'in every system known');
  assert.deepEqual(await of('Encounter', 'class:below', '_ActEncounterCode'), ['e-acute', 'e-amb', 'e-imp', 'e-nonac']);
  assert.deepEqual(await of('Encounter', 'class:above', `${T}/v3-ActCode|ACUTE`), ['e-acute', 'e-imp']);
  assert.deepEqual(await of('Encounter', 'class:below', `${T}/v3-ActCode|ACUTE,${T}/v3-ActCode|AMB`), ['e-acute', 'e-amb']);
  assert.deepEqual(await of('Encounter', '_filter', `class sb ${T}/v3-ActCode|IMP and class ne ACUTE`), ['e-imp', 'e-nonac']);
  for (const code of ['ADOPTF', 'NMTH', 'UNCLE'])
    await put({ resourceType: 'RelatedPerson', id: `r-${code.toLowerCase()}`, patient: { reference: 'Patient/p' }, relationship: [{ coding: [{ system: `${T}/v3-RoleCode`, code }] }] });
  assert.deepEqual(await of('RelatedPerson', 'relationship:below', `${T}/v3-RoleCode|PRN`), ['r-adoptf', 'r-nmth']);
  assert.deepEqual(await of('RelatedPerson', 'relationship:below', `${T}/v3-RoleCode|FTH`), ['r-adoptf'], 'below two');
  assert.deepEqual(await find(`/r4/Patient?_has:RelatedPerson:patient:relationship:below=${q(`${T}/v3-RoleCode|EXT`)}`), ['p']);
  for (const [id, code] of [['c-relapse', 'relapse'], ['c-active', 'active'], ['c-resolved', 'resolved']])
    await put({ resourceType: 'Condition', id, subject: { reference: 'Patient/p' }, clinicalStatus: { coding: [{ system: `${T}/condition-clinical`, code }] } });
  assert.deepEqual(await of('Condition', 'clinical-status:below', 'active'), ['c-active', 'c-relapse']);
  // not known: refused by name, nothing guessed
  for (const value of ['http://snomed.info/sct|73211009', 'urn:zoo|cat', `${T}/v3-ActCode|NOSUCH`, 'nosuch', `${T}/v3-ActCode|IMP,urn:zoo|cat`]) {
    const answer = await world.get(user, `/r4/Encounter?class:below=${q(value)}`);
    assert.equal(answer.status, 400, value);
    assert.match(answer.text, /class:below.*not known/);
  }
  // a CodeSystem of the record: nested, and by properties
  await put({ resourceType: 'CodeSystem', id: 'zoo', url: 'urn:zoo', status: 'active', content: 'complete', hierarchyMeaning: 'is-a', concept: [
    { code: 'animal', concept: [{ code: 'cat', concept: [{ code: 'lynx' }] }] },
    { code: 'pet' }, { code: 'tabby', property: [{ code: 'parent', valueCode: 'cat' }, { code: 'subsumedBy', valueCode: 'pet' }] }] });
  for (const code of ['cat', 'lynx', 'tabby', 'stone'])
    await put({ resourceType: 'Observation', id: `z-${code}`, status: 'final', code: { coding: [{ system: 'urn:zoo', code }] } });
  assert.deepEqual(await of('Observation', 'code:below', 'urn:zoo|animal'), ['z-cat', 'z-lynx', 'z-tabby']);
  assert.deepEqual(await of('Observation', 'code:below', 'urn:zoo|pet'), ['z-tabby']);
  assert.deepEqual(await of('Observation', 'code:above', 'urn:zoo|tabby'), ['z-cat', 'z-tabby']);
  assert.equal(await status(`/r4/Observation?code:below=${q('urn:zoo|stone')}`), 400);
  await put({ resourceType: 'Encounter', id: 'e-old', status: 'finished', class: { system: 'http://hl7.org/fhir/v3/ActCode', code: 'NONAC' } }, 'stu3');
  assert.deepEqual(await find(`/stu3/Encounter?class:below=${q('http://hl7.org/fhir/v3/ActCode|IMP')}`), ['e-old']);
  assert.equal(await status('/dstu2/Encounter?type:below=x'), 400);
});

test(':below and :above on references, level by level through what is part of what', async () => {
  for (const release of ['r4', 'stu3']) {
    const put = async (resource) => assert.equal((await world.send(user, 'PUT', `/${release}/${resource.resourceType}/${resource.id}`, resource)).status, 201);
    const at = (id) => ({ reference: `Location/${id}` });
    for (const [id, of] of [['city', null], ['house', 'city'], ['floor', 'house'], ['room', 'floor'], ['other', null]])
      await put({ resourceType: 'Location', id, ...(of ? { partOf: at(of) } : {}) });
    for (const id of ['city', 'house', 'floor', 'room', 'other'])
      await put({ resourceType: 'Procedure', id: `at-${id}`, status: 'completed', subject: { reference: 'Patient/p' }, location: at(id) });
    const of = (name, value) => find(`/${release}/Procedure?${name}=${value}`);
    assert.deepEqual(await of('location:below', 'house'), ['at-floor', 'at-house', 'at-room']);
    assert.deepEqual(await of('location:below', 'Location/city,other'), ['at-city', 'at-floor', 'at-house', 'at-other', 'at-room']);
    assert.deepEqual(await of('location:below', `${world.base}/${release}/Location/floor`), ['at-floor', 'at-room']);
    assert.deepEqual(await of('location:above', 'floor'), ['at-city', 'at-floor', 'at-house']);
    assert.deepEqual(await of('location:above', 'nowhere'), []);
    assert.deepEqual(await find(`/${release}/Location?partof:below=house`), ['floor', 'room']);
    if (release === 'r4') assert.deepEqual(await find('/r4/Patient?_has:Procedure:subject:location:below=city'), ['p']);
    // a circle ends, what is deleted breaks the chain
    await world.send(user, 'PUT', `/${release}/Location/city`, { resourceType: 'Location', id: 'city', partOf: at('room') });
    assert.equal((await of('location:below', 'house')).length, 4);
    await world.send(user, 'DELETE', `/${release}/Location/floor`);
    assert.deepEqual(await of('location:below', 'house'), ['at-house']);
    const refused = await world.get(user, `/${release}/Procedure?patient:below=p`);
    assert.equal(refused.status, 400);
    assert.match(refused.text, /patient:below/);
  }
});

test(':below on media types', async () => {
  const types = { x: 'text/xml', y: 'text/xml; charset=UTF-8', z: 'text/xml-external', i: 'image/png' };
  for (const [id, contentType] of Object.entries(types))
    assert.equal((await world.send(user, 'PUT', `/r4/DocumentReference/${id}`, { resourceType: 'DocumentReference', id, status: 'current', content: [{ attachment: { contentType, url: 'http://x.test/1' } }] })).status, 201);
  assert.deepEqual(await find('/r4/DocumentReference?contenttype=text/xml'), ['x']);
  assert.deepEqual(await find('/r4/DocumentReference?contenttype:below=text/xml'), ['x', 'y']);
  assert.deepEqual(await find('/r4/DocumentReference?contenttype:below=TEXT'), ['x', 'y', 'z']);
  assert.deepEqual(await find('/r4/DocumentReference?contenttype:below=image,text/xml-external'), ['i', 'z']);
  assert.deepEqual(await find(`/r4/DocumentReference?contenttype:above=${q('text/xml; charset=UTF-8')}`), ['x', 'y']);
  assert.deepEqual(await find('/r4/DocumentReference?contenttype:below=text/x'), []);
});

test('_filter: a tree of tests', async () => {
  const filter = (type, text) => `/r4/${type}?_filter=${q(text)}`;
  assert.deepEqual(await find(filter('Patient', 'gender eq female or birthdate ge 2000-01-01')), ['p', 'q']);
  assert.deepEqual(await find(filter('Patient', 'name co "roo" and not (gender eq male)')), ['p']);
  assert.deepEqual(await find(filter('Patient', 'name pr false')), ['s', 't']);
  assert.deepEqual(await find(filter('Patient', 'gender ne female')), ['q', 's', 't']);
  assert.deepEqual(await find(filter('Patient', 'general-practitioner.name sw broo')), ['s', 't']);
  assert.equal(await status(filter('Patient', 'gender eq')), 400);
});

test('a chain without a type looks at every type that has the parameter', async () => {
  assert.deepEqual(await find('/r4/Patient?general-practitioner.name=brook'), ['s', 't']);
  assert.deepEqual(await find('/r4/Patient?general-practitioner:Organization.name=brook'), ['t']);
  assert.equal(await status('/r4/Patient?general-practitioner.shoesize=1'), 400);
});
