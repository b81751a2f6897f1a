// L. Date.  M. Number, quantity, uri, composite, special.
import { assert, elsewhere, hold, never, observation, outcome, patient, q, serve } from './support.mjs';

const s = serve();
const find = (user, path) => s.find(user, `/r4/${path}`);
const dated = async () => {
  const u = await s.user();
  const at = { day: '2020-05-10', before: '2020-05-09', after: '2020-05-11', month: '2020-05', year: '2020', time: '2020-05-10T12:00:00Z' };
  await s.put(u, ...Object.entries(at).map(([id, effectiveDateTime]) => observation({ id, effectiveDateTime })), observation({ id: 'span', effectivePeriod: { start: '2020-05-10', end: '2020-05-12' } }), observation({ id: 'open', effectivePeriod: { start: '2020-05-10' } }));
  return async (text) => (await find(u, `Observation?date=${q(text)}`)).sort();
};

hold(150, 'eq: the asked range holds the value’s', async () => {
  const by = await dated();
  assert.deepEqual(await by('2020-05-10'), ['day', 'time']);
  assert.deepEqual(await by('2020-05'), ['after', 'before', 'day', 'month', 'span', 'time']);
});
hold(151, 'ne: all others that have a date', async () => assert.deepEqual(await (await dated())('ne2020-05'), ['open', 'year']));
hold(152, 'gt: reaches past the end', async () => assert.deepEqual(await (await dated())('gt2020-05-10'), ['after', 'month', 'open', 'span', 'year']));
hold(153, 'lt: begins before', async () => assert.deepEqual(await (await dated())('lt2020-05-10'), ['before', 'month', 'year']));
hold(154, 'ge: gt or eq', async () => assert.deepEqual(await (await dated())('ge2020-05-10'), ['after', 'day', 'month', 'open', 'span', 'time', 'year']));
hold(155, 'le: lt or eq', async () => assert.deepEqual(await (await dated())('le2020-05-10'), ['before', 'day', 'month', 'time', 'year']));
hold(156, 'sa: begins after the end', async () => assert.deepEqual(await (await dated())('sa2020-05-10'), ['after']));
hold(157, 'eb: ends before the start', async () => assert.deepEqual(await (await dated())('eb2020-05-10'), ['before']));
hold(158, 'ap: overlaps, wider by a tenth of the distance', async () => {
  const by = await dated();
  assert.ok((await by('ap2020-05-10')).includes('before'));
  assert.deepEqual(await by('ap1920'), []);
});
hold(159, 'each precision, offsets, and no zone is UTC', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', effectiveDateTime: '2020-05-10T23:30:00-05:00' }));
  for (const text of ['2020', '2020-05', '2020-05-11', '2020-05-11T04:30', '2020-05-11T04:30:00', '2020-05-11T04:30:00Z', '2020-05-10T23:30:00-05:00']) assert.deepEqual(await find(u, `Observation?date=${q(text)}`), ['a'], text);
});
hold(160, 'open periods reach for ever; events of a Timing each count', async () => {
  const by = await dated();
  assert.deepEqual(await by('gt2099'), ['open']);
  const u = await s.user();
  await s.put(u, observation({ id: 'a', effectiveTiming: { event: ['2020-01-01', '2021-01-01'] } }));
  assert.deepEqual(await find(u, 'Observation?date=2020'), ['a']);
  assert.deepEqual(await find(u, 'Observation?date=2021'), ['a']);
});
hold(161, 'two bounds together', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', effectiveDateTime: '2020-06-01' }), observation({ id: 'b', effectiveDateTime: '2021-06-01' }));
  assert.deepEqual(await find(u, 'Observation?date=ge2020&date=lt2021'), ['a']);
});
hold(162, 'any value of several will do', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', effectiveTiming: { event: ['2010-01-01', '2021-01-01'] } }));
  assert.deepEqual(await find(u, 'Observation?date=lt2011'), ['a']);
});
hold(163, 'a plus that came as a blank is a plus', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', effectiveDateTime: '2020-05-10T10:00:00+02:00' }));
  assert.deepEqual(await find(u, 'Observation?date=2020-05-10T10:00:00+02:00'), ['a']);
  assert.deepEqual(await find(u, 'Observation?date=2020-05-10T10:00:00%2B02:00'), ['a']);
});

const risks = async () => {
  const u = await s.user();
  const risk = (id, probabilityDecimal) => ({ resourceType: 'RiskAssessment', id, status: 'final', subject: { reference: 'Patient/p' }, prediction: [{ probabilityDecimal }] });
  await s.put(u, risk('a', 0.8), risk('b', 0.76), risk('c', 0.86), risk('d', 100), risk('e', 99.6));
  return async (text) => (await find(u, `RiskAssessment?probability=${text}`)).sort();
};
hold(164, 'numbers have the range of their digits, comparisons are exact', async () => {
  const by = await risks();
  assert.deepEqual(await by('0.8'), ['a', 'b']);
  assert.deepEqual(await by('100'), ['d', 'e']);
  assert.deepEqual(await by('gt0.8'), ['c', 'd', 'e']);
  assert.deepEqual(await by('ge0.8'), ['a', 'c', 'd', 'e']);
  assert.deepEqual(await by('lt0.8'), ['b']);
});
hold(165, 'digits and exponents say the range; text is 400', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', valueQuantity: { value: 5.3 } }), observation({ id: 'b', valueQuantity: { value: 102 } }));
  assert.deepEqual(await find(u, 'Observation?value-quantity=5'), ['a']);
  assert.deepEqual(await find(u, 'Observation?value-quantity=5.000'), []);
  assert.deepEqual(await find(u, 'Observation?value-quantity=1e2'), ['b']);
  outcome(await s.get(u, '/r4/Observation?value-quantity=many'), 400);
});
hold(166, 'sa and eb lie outside the value’s range', async () => {
  const u = await s.user();
  await s.put(u, { resourceType: 'Condition', id: 'a', subject: { reference: 'Patient/p' }, onsetRange: { low: { value: 10, unit: 'a' }, high: { value: 20, unit: 'a' } } });
  assert.deepEqual(await find(u, 'Condition?onset-age=sa5'), ['a']);
  assert.deepEqual(await find(u, 'Condition?onset-age=sa15'), []);
  assert.deepEqual(await find(u, 'Condition?onset-age=eb25'), ['a']);
  assert.deepEqual(await find(u, 'Condition?onset-age=eb15'), []);
});
hold(167, 'quantities: with system and code, with a unit, without; four parts 400', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', valueQuantity: { value: 5, unit: 'milligram', system: 'urn:u', code: 'mg' } }), observation({ id: 'b', valueQuantity: { value: 5, unit: 'kg' } }));
  assert.deepEqual(await find(u, 'Observation?value-quantity=5|urn:u|mg'), ['a']);
  assert.deepEqual(await find(u, 'Observation?value-quantity=5||mg'), ['a']);
  assert.deepEqual(await find(u, 'Observation?value-quantity=5||milligram'), ['a']);
  assert.deepEqual(await find(u, 'Observation?value-quantity=5'), ['a', 'b']);
  outcome(await s.get(u, '/r4/Observation?value-quantity=5|a|b|c'), 400);
});
hold(168, 'UCUM units are compared', async () => {
  const u = await s.user();
  await s.put(u, observation({ id: 'a', valueQuantity: { value: 5400, system: 'http://unitsofmeasure.org', code: 'mg' } }));
  assert.deepEqual(await find(u, 'Observation?value-quantity=5.4|http://unitsofmeasure.org|g'), ['a']);
});
hold(169, 'uris are exact; :below and :above by path', async () => {
  const u = await s.user();
  await s.put(u, { resourceType: 'ValueSet', id: 'v', status: 'active', url: 'http://x.test/a/b' });
  assert.deepEqual(await find(u, 'ValueSet?url=http://x.test/a/b'), ['v']);
  assert.deepEqual(await find(u, 'ValueSet?url=http://X.test/a/b'), []);
  assert.deepEqual(await find(u, 'ValueSet?url:below=http://x.test/a'), ['v']);
  assert.deepEqual(await find(u, 'ValueSet?url:below=http://x.test/a/bb'), []);
  assert.deepEqual(await find(u, 'ValueSet?url:above=http://x.test/a/b/c'), ['v']);
});
hold(170, 'composites hold within one element', async () => {
  const u = await s.user();
  const component = (code, value) => ({ code: { coding: [{ system: 'urn:c', code }] }, valueQuantity: { value } });
  await s.put(u, observation({ id: 'a', component: [component('s', 120), component('d', 80)] }));
  const by = (text) => find(u, `Observation?component-code-value-quantity=${q(text)}`);
  assert.deepEqual(await by('urn:c|s$gt100'), ['a']);
  assert.deepEqual(await by('urn:c|d$gt100'), []);
});
hold(171, 'near', async () => {
  const u = await s.user();
  await s.put(u, { resourceType: 'Location', id: 'l', position: { latitude: 42.25, longitude: -83.69 } });
  assert.deepEqual(await find(u, `Location?near=${q('42.2|-83.7|11|km')}`), ['l']);
  assert.deepEqual(await find(u, `Location?near=${q('42.2|-83.7|2|km')}`), []);
});
hold(172, 'a composite with a part too few or many is 400', async () => {
  const u = await s.user();
  for (const text of ['a', 'a$1$2']) outcome(await s.get(u, `/r4/Observation?code-value-quantity=${q(text)}`), 400);
});
