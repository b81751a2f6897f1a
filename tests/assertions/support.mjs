// The numbered assertions (docs/fhir.md): hold() is a test of this folder,
// elsewhere() names a test that shows it, never() says why it does not apply.
// tools/make-assertions.mjs reads the calls, so each stands on a line's start.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from '../support/world.mjs';

export { assert };
export const hold = (number, sentence, run) => test(`${number}. ${sentence}`, run);
export const elsewhere = () => {};
export const never = () => {};

export const q = encodeURIComponent;
export const ids = (bundle) => (bundle.entry ?? []).filter((e) => e.search?.mode !== 'outcome' && e.search?.mode !== 'include').map((e) => e.resource.id);
export const link = (bundle, relation) => bundle.link?.find((l) => l.relation === relation)?.url;
export const outcome = (answer, status) => {
  assert.equal(answer.status, status, `${answer.status} ${answer.text?.slice(0, 300)}`);
  assert.equal(answer.body.resourceType, 'OperationOutcome');
  assert.ok(answer.body.issue[0].severity && answer.body.issue[0].code && answer.body.issue[0].details?.text);
};
export const patient = (more = {}) => ({ resourceType: 'Patient', name: [{ family: 'Brook', given: ['Wilma'] }], ...more });
export const observation = (more = {}) => ({ resourceType: 'Observation', status: 'final', code: { coding: [{ system: 'urn:c', code: 'x' }] }, ...more });
export const bundle = (type, ...entry) => ({ resourceType: 'Bundle', type, entry });
export const entry = (method, url, resource, more = {}) => ({ fullUrl: more.fullUrl, resource, request: { method, url, ...more, fullUrl: undefined } });

// One server a file; user(name) makes a person, each test its own.
export function serve(options) {
  const here = {};
  before(async () => {
    here.world = await World.start(options);
    here.base = here.world.base;
  });
  after(async () => { await here.world?.stop(); });
  let n = 0;
  here.user = () => here.world.user(`person-${n++}`);
  here.get = (user, path, headers) => here.world.get(user, path, headers);
  here.send = (user, method, path, body, headers) => here.world.send(user, method, path, body, headers);
  here.raw = async (path, options = {}, user) => {
    const answer = await fetch(here.base + path, { ...options, headers: { ...(user && { Authorization: `Bearer ${user.token}` }), ...options.headers } });
    const text = await answer.text();
    let body = text;
    try { body = JSON.parse(text); } catch { /* not JSON */ }
    return { status: answer.status, headers: answer.headers, text, body };
  };
  here.put = async (user, ...resources) => {
    for (const r of resources) {
      const answer = await here.send(user, 'PUT', `/r4/${r.resourceType}/${r.id}`, r);
      assert.ok(answer.status < 300, answer.text);
    }
  };
  here.find = async (user, path) => {
    const answer = await here.get(user, path);
    assert.equal(answer.status, 200, `${path}: ${answer.text.slice(0, 300)}`);
    return ids(answer.body);
  };
  return here;
}
