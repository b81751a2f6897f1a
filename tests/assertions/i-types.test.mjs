// I. String.  J. Token.  K. Reference, chain, _has, include.
import { assert, elsewhere, hold, ids, never, observation, outcome, patient, q, serve } from './support.mjs';

const s = serve();
const find = (user, path) => s.find(user, `/r4/${path}`);

hold(118, 'strings: without case and accents, from the start', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a', name: [{ family: 'Müller' }] }), patient({ id: 'b', name: [{ family: 'MULLER' }] }));
  for (const text of ['mül', 'mul', 'MULL']) assert.deepEqual(await find(u, `Patient?name=${q(text)}`), ['a', 'b']);
});
hold(119, 'not in the middle', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a', name: [{ family: 'Blacksmith' }] }));
  assert.deepEqual(await find(u, 'Patient?family=smith'), []);
});
hold(120, ':exact with case and accents, whole', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a', name: [{ family: 'Müller' }] }));
  assert.deepEqual(await find(u, `Patient?family:exact=${q('Müller')}`), ['a']);
  for (const text of ['müller', 'Muller', 'Mül']) assert.deepEqual(await find(u, `Patient?family:exact=${q(text)}`), []);
});
hold(121, ':contains anywhere', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a', name: [{ family: 'Blacksmith' }] }));
  assert.deepEqual(await find(u, 'Patient?family:contains=KSM'), ['a']);
});
hold(122, 'long values are found by start and whole', async () => {
  const u = await s.user();
  const long = 'x'.repeat(600);
  await s.put(u, patient({ id: 'a', name: [{ family: long }] }));
  assert.deepEqual(await find(u, `Patient?family=${'x'.repeat(300)}`), ['a']);
  assert.deepEqual(await find(u, `Patient?family:exact=${long}`), ['a']);
});
hold(123, 'all parts of names and addresses', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a', name: [{ text: 'Teetext', family: 'Fam', given: ['Giv'], prefix: ['Pre'], suffix: ['Suf'] }], address: [{ text: 'Adtext', line: ['Line'], city: 'City', state: 'State', postalCode: '12345', country: 'Land' }] }));
  for (const text of ['teet', 'fam', 'giv', 'pre', 'suf']) assert.deepEqual(await find(u, `Patient?name=${text}`), ['a'], text);
  for (const text of ['adt', 'line', 'city', 'state', '123', 'land']) assert.deepEqual(await find(u, `Patient?address=${text}`), ['a'], text);
});

hold(124, 'tokens: code, system|code, system|, |code', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a', identifier: [{ system: 'urn:x', value: '1' }] }), patient({ id: 'b', identifier: [{ value: '1' }] }));
  assert.deepEqual(await find(u, 'Patient?identifier=1'), ['a', 'b']);
  assert.deepEqual(await find(u, 'Patient?identifier=urn:x|1'), ['a']);
  assert.deepEqual(await find(u, 'Patient?identifier=urn:x|'), ['a']);
  assert.deepEqual(await find(u, 'Patient?identifier=|1'), ['b']);
});
hold(125, 'a token of four parts is 400', async () => outcome(await s.get(await s.user(), '/r4/Patient?identifier=a|b|c|d'), 400));
hold(126, 'codes without case, identifiers with', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a', gender: 'male', identifier: [{ value: 'AbC' }] }));
  assert.deepEqual(await find(u, 'Patient?gender=MALE'), ['a']);
  assert.deepEqual(await find(u, 'Patient?identifier=abc'), []);
  assert.deepEqual(await find(u, 'Patient?identifier=AbC'), ['a']);
});
hold(127, 'every datatype that can be a token', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a', active: true, telecom: [{ system: 'phone', value: '555' }], maritalStatus: { coding: [{ system: 'urn:m', code: 'M' }] }, communication: [{ language: { coding: [{ code: 'de' }] } }], meta: { tag: [{ system: 'urn:t', code: 't' }] } }));
  for (const query of ['active=true', 'phone=555', 'telecom=phone|555', 'language=de', '_tag=urn:t|t', '_id=a']) assert.deepEqual(await find(u, `Patient?${query}`), ['a'], query);
});
hold(128, ':text looks at display and text', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', code: { text: 'Body Weight', coding: [{ code: '1', display: 'Mass of body' }] } }));
  assert.deepEqual(await find(u, 'Observation?code:text=body%20we'), ['a']);
  assert.deepEqual(await find(u, 'Observation?code:text=mass'), ['a']);
});
hold(129, ':in with a known set, an unknown one 400', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a', gender: 'male' }), patient({ id: 'b' }));
  assert.deepEqual(await find(u, 'Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender'), ['a']);
  assert.deepEqual(await find(u, 'Patient?gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender'), ['b']);
  outcome(await s.get(u, '/r4/Patient?gender:in=urn:unknown'), 400);
});
hold(130, ':of-type', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a', identifier: [{ type: { coding: [{ system: 'urn:t', code: 'MR' }] }, value: '1' }] }));
  assert.deepEqual(await find(u, 'Patient?identifier:of-type=urn:t|MR|1'), ['a']);
  assert.deepEqual(await find(u, 'Patient?identifier:of-type=urn:t|MR|2'), []);
});
hold(131, 'a component’s code is found by combo-code alone', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'bp', code: { coding: [{ code: '85354-9' }] }, component: [{ code: { coding: [{ code: '8480-6' }] }, valueQuantity: { value: 120 } }] }));
  assert.deepEqual(await find(u, 'Observation?code=8480-6'), []);
  assert.deepEqual(await find(u, 'Observation?combo-code=8480-6'), ['bp']);
});
hold(132, 'long tokens are found', async () => {
  const u = await s.user();
  const long = 'y'.repeat(1000);
  await s.put(u, patient({ id: 'a', identifier: [{ value: long }] }), patient({ id: 'b', identifier: [{ value: `${long}z` }] }));
  assert.deepEqual(await find(u, `Patient?identifier=${long}`), ['a']);
});
hold(133, 'an absent boolean is not false', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a' }), patient({ id: 'b', active: false }));
  assert.deepEqual(await find(u, 'Patient?active=false'), ['b']);
});

hold(134, 'each way to name a target finds the same', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'o', subject: { reference: 'Patient/1' } }));
  for (const query of ['patient=1', 'patient=Patient/1', 'subject:Patient=1', `subject=${s.base}/r4/Patient/1`]) assert.deepEqual(await find(u, `Observation?${query}`), ['o'], query);
});
hold(135, 'a bare id matches any target type', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', subject: { reference: 'Patient/1' } }), observation({ id: 'b', subject: { reference: 'Group/1' } }));
  assert.deepEqual(await find(u, 'Observation?subject=1'), ['a', 'b']);
});
hold(136, 'a miscased type matches nothing', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', subject: { reference: 'Patient/1' } }));
  const answer = await s.get(u, '/r4/Observation?subject=patient/1');
  assert.ok(answer.status === 400 || ids(answer.body).length === 0);
});
hold(137, 'foreign URLs as they are, identifiers by :identifier', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', subject: { reference: 'http://else.test/Patient/1' } }), observation({ id: 'b', subject: { identifier: { system: 'urn:x', value: '7' } } }));
  assert.deepEqual(await find(u, 'Observation?subject=http://else.test/Patient/1'), ['a']);
  assert.deepEqual(await find(u, 'Observation?subject:identifier=urn:x|7'), ['b']);
});
hold(138, 'a versioned reference is found without its version', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', subject: { reference: 'Patient/1/_history/2' } }));
  assert.deepEqual(await find(u, 'Observation?subject=Patient/1'), ['a']);
});
hold(139, 'canonicals with and without version, and :below', async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'a', meta: { profile: ['http://x.test/p|1'] } }), { resourceType: 'ValueSet', id: 'v', status: 'active', url: 'http://x.test/sets/one' });
  assert.deepEqual(await find(u, 'Patient?_profile=http://x.test/p'), ['a']);
  assert.deepEqual(await find(u, 'Patient?_profile=http://x.test/p|1'), ['a']);
  assert.deepEqual(await find(u, 'ValueSet?url:below=http://x.test/sets'), ['v']);
});
const family = async () => {
  const u = await s.user();
  await s.put(u, { resourceType: 'Organization', id: 'org', name: 'Hospital' }, { resourceType: 'Practitioner', id: 'dr', name: [{ family: 'Strange' }], identifier: [{ value: 'd1' }] },
    patient({ id: 'p', name: [{ family: 'Peter' }], identifier: [{ system: 'urn:x', value: '1' }], generalPractitioner: [{ reference: 'Practitioner/dr' }], managingOrganization: { reference: 'Organization/org' } }), patient({ id: 'r', name: [{ family: 'Ruth' }] }),
    observation({ id: 'o', subject: { reference: 'Patient/p' }, performer: [{ reference: 'Practitioner/dr' }] }), observation({ id: 'n', subject: { reference: 'Patient/r' }, hasMember: [{ reference: 'Observation/o' }] }),
    { resourceType: 'Provenance', id: 'prov', target: [{ reference: 'Observation/o' }], recorded: '2020-01-01T00:00:00Z', agent: [{ who: { display: 'x' } }] });
  return u;
};
hold(140, 'chains of one and two steps', async () => {
  const u = await family();
  assert.deepEqual(await find(u, 'Observation?subject:Patient.name=peter'), ['o']);
  assert.deepEqual(await find(u, 'Observation?patient.identifier=urn:x|1'), ['o']);
  assert.deepEqual(await find(u, 'Observation?patient.general-practitioner:Practitioner.name=strange'), ['o']);
});
hold(141, 'an untyped chain looks at all types that know it; none is 400', async () => {
  const u = await family();
  assert.deepEqual(await find(u, 'Observation?performer.name=strange'), ['o']);
  outcome(await s.get(u, '/r4/Observation?performer.shoesize=1'), 400);
});
hold(142, '_has, and nested', async () => {
  const u = await family();
  assert.deepEqual(await find(u, 'Patient?_has:Observation:patient:code=x'), ['p', 'r']);
  assert.deepEqual(await find(u, 'Patient?_has:Observation:patient:_has:Provenance:target:recorded=2020'), ['p']);
});
const included = async (u, path) => (await s.get(u, `/r4/${path}`)).body.entry.filter((e) => e.search.mode === 'include').map((e) => `${e.resource.resourceType}/${e.resource.id}`).sort();
hold(143, '_include: not counted, once, of this person only', async () => {
  const u = await family();
  const { body } = await s.get(u, '/r4/Observation?_include=Observation:subject&_include=Observation:performer&_count=1');
  assert.equal(body.total, 2);
  assert.equal(body.entry.filter((e) => e.search.mode === 'match').length, 1);
  assert.deepEqual(await included(u, 'Observation?_include=Observation:subject'), ['Patient/p', 'Patient/r']);
});
hold(144, '_include of one target type', async () => {
  const u = await family();
  assert.deepEqual(await included(u, 'Observation?_id=o&_include=Observation:subject:Patient'), ['Patient/p']);
  assert.deepEqual(await included(u, 'Observation?_id=o&_include=Observation:subject:Group'), []);
});
hold(145, '_revinclude=Provenance:target', async () => {
  assert.deepEqual(await included(await family(), 'Observation?_revinclude=Provenance:target'), ['Provenance/prov']);
});
hold(146, ':iterate, also :recurse, stops at cycles', async () => {
  const u = await family();
  for (const word of ['iterate', 'recurse']) assert.deepEqual(await included(u, `Observation?_id=o&_include=Observation:subject&_include:${word}=Patient:organization`), ['Organization/org', 'Patient/p']);
  await s.put(u, observation({ id: 'o', subject: { reference: 'Patient/p' }, hasMember: [{ reference: 'Observation/n' }] }));
  assert.deepEqual(await included(u, 'Observation?_id=o&_include:iterate=Observation:has-member'), ['Observation/n']);
});
hold(147, 'wildcards', async () => {
  const u = await family();
  assert.deepEqual(await included(u, 'Observation?_id=o&_include=*'), ['Patient/p', 'Practitioner/dr']);
  assert.ok((await included(u, 'Observation?_id=o&_revinclude=*')).includes('Provenance/prov'));
});
hold(148, 'an unknown include is told: a warning, or 400 when strict', async () => {
  const u = await family();
  outcome(await s.get(u, '/r4/Observation?_include=Observation:shoe', { Prefer: 'handling=strict' }), 400);
  assert.equal((await s.get(u, '/r4/Observation?_include=Observation:shoe')).body.entry.at(-1).search.mode, 'outcome');
});
hold(149, 'what is deleted or absent is left out', async () => {
  const u = await family();
  await s.send(u, 'DELETE', '/r4/Practitioner/dr');
  assert.deepEqual(await included(u, 'Observation?_id=o&_include=Observation:performer'), []);
});
