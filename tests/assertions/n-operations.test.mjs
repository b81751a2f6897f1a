// N. $everything.  O. Bulk.  P. SMART.  Q. Operations.
import { assert, elsewhere, hold, ids, link, never, observation, outcome, patient, serve } from './support.mjs';

const s = serve();
const record = async () => {
  const u = await s.user();
  await s.put(u, patient({ id: 'p', managingOrganization: { reference: 'Organization/org' } }), { resourceType: 'Organization', id: 'org', name: 'X' }, { resourceType: 'Practitioner', id: 'dr' });
  for (let i = 0; i < 25; i++) await s.put(u, observation({ id: `o${String(i).padStart(2, '0')}`, subject: { reference: 'Patient/p' }, effectiveDateTime: `20${i + 10}-01-01`, performer: [{ reference: 'Practitioner/dr' }] }));
  return u;
};

hold(173, '$everything: the patient first, then all of it and what it refers to', async () => {
  const found = await s.find(await record(), '/r4/Patient/p/$everything?_count=100');
  assert.equal(found[0], 'p');
  assert.equal(found.length, 28);
  assert.ok(found.includes('org') && found.includes('dr'));
});
hold(174, 'POST of Parameters is the same; of others 400', async () => {
  const u = await record();
  const posted = await s.send(u, 'POST', '/r4/Patient/p/$everything', { resourceType: 'Parameters', parameter: [{ name: '_count', valueInteger: 100 }] });
  assert.equal(ids(posted.body).length, 28);
  outcome(await s.send(u, 'POST', '/r4/Patient/p/$everything', patient()), 400);
});
hold(175, '_type, _since, start, end, _count together; odd ones 400', async () => {
  const u = await record();
  assert.equal((await s.get(u, '/r4/Patient/p/$everything?_type=Observation&start=2020&end=2024&_count=2')).body.total, 5);
  assert.equal((await s.get(u, '/r4/Patient/p/$everything?start=2099')).body.total, 3, 'what has no date stays');
  assert.equal((await s.get(u, '/r4/Patient/p/$everything?_since=2999-01-01T00:00:00Z')).body.total, 0);
  for (const bad of ['_type=Foo', '_since=x', 'start=x', 'end=x', '_count=x']) outcome(await s.get(u, `/r4/Patient/p/$everything?${bad}`), 400);
});
hold(176, 'pages: none twice, none left out, full, the total exact', async () => {
  const u = await record();
  const seen = [];
  for (let url = '/r4/Patient/p/$everything?_count=5'; url;) {
    const { body } = await s.get(u, url);
    assert.equal(body.total, 28);
    seen.push(...ids(body));
    url = link(body, 'next');
    assert.ok(!url || body.entry.length === 5);
  }
  assert.equal(seen.length, 28);
  assert.equal(new Set(seen).size, 28);
});
hold(177, 'an unknown patient, another type: 404', async () => {
  const u = await record();
  outcome(await s.get(u, '/r4/Patient/nobody/$everything'), 404);
  outcome(await s.get(u, '/r4/Observation/o00/$everything'), 404);
});
hold(178, 'of all patients', async () => {
  const u = await record();
  await s.put(u, patient({ id: 'second' }));
  assert.equal((await s.get(u, '/r4/Patient/$everything')).body.total, 29);
});
never(179, 'a cap told in an outcome entry', 'there is no cap: next goes on to the end');
hold(180, 'a bad cursor is 400', async () => outcome(await s.get(await record(), '/r4/Patient/p/$everything?_afterid=x'), 400));
never(181, 'links between Patients followed', 'optional; a record’s Patients are each asked, and [type]/$everything gives all of them');
hold(182, 'paging is not disturbed by writes', async () => {
  const u = await record();
  const first = (await s.get(u, '/r4/Patient/p/$everything?_count=10')).body;
  await s.put(u, observation({ id: 'a-new', subject: { reference: 'Patient/p' } }));
  const rest = [];
  for (let url = link(first, 'next'); url;) {
    const { body } = await s.get(u, url);
    rest.push(...ids(body));
    url = link(body, 'next');
  }
  const seen = [...ids(first), ...rest].filter((id) => id !== 'a-new');
  assert.equal(new Set(seen).size, 28);
  assert.equal(seen.length, 28);
});

const later = { Prefer: 'respond-async', Accept: 'application/fhir+json' };
const wait = async (u, url) => {
  for (;;) {
    const answer = await s.get(u, url);
    if (answer.status !== 202) return answer;
    await new Promise((done) => { setTimeout(done, 20); });
  }
};
hold(183, 'an export is kicked off: 202 and where to look', async () => {
  const u = await record();
  for (const path of ['/r4/$export', '/r4/Patient/$export']) {
    const kick = await s.get(u, path, later);
    assert.equal(kick.status, 202, kick.text);
    assert.ok(kick.headers.get('content-location').startsWith(s.base));
  }
});
hold(184, 'no token 401; no Prefer or a bad Accept 400', async () => {
  assert.equal((await s.raw('/r4/$export', { headers: later })).status, 401);
  const u = await record();
  outcome(await s.get(u, '/r4/$export', { Accept: 'application/fhir+json' }), 400);
  outcome(await s.get(u, '/r4/$export', { ...later, Accept: 'text/turtle' }), 400);
});
hold(185, 'the status: a manifest', async () => {
  const u = await record();
  const { status, body, headers } = await wait(u, (await s.get(u, '/r4/$export', later)).headers.get('content-location'));
  assert.equal(status, 200);
  assert.match(headers.get('content-type'), /^application\/json/);
  for (const name of ['transactionTime', 'request', 'requiresAccessToken', 'output', 'error']) assert.ok(name in body, name);
});
hold(186, 'each file has one type, and as many lines as it says', async () => {
  const u = await record();
  const { body } = await wait(u, (await s.get(u, '/r4/$export', later)).headers.get('content-location'));
  for (const file of body.output) {
    const lines = (await s.get(u, file.url)).text.trim().split('\n').map((l) => JSON.parse(l));
    assert.ok(lines.every((l) => l.resourceType === file.type));
    assert.equal(lines.length, file.count);
  }
});
hold(187, 'files are NDJSON, and 401 without a token', async () => {
  const u = await record();
  const { body } = await wait(u, (await s.get(u, '/r4/$export', later)).headers.get('content-location'));
  const url = new URL(body.output[0].url);
  assert.match((await s.get(u, url.href)).headers.get('content-type'), /^application\/fhir\+ndjson/);
  assert.equal((await s.raw(url.pathname + url.search)).status, 401);
});
hold(188, '_outputFormat: NDJSON’s names, others 400', async () => {
  const u = await record();
  for (const name of ['application/fhir%2Bndjson', 'application/ndjson', 'ndjson']) assert.equal((await s.get(u, `/r4/$export?_outputFormat=${name}`, later)).status, 202, name);
  outcome(await s.get(u, '/r4/$export?_outputFormat=csv', later), 400);
});
hold(189, '_since and _type; odd ones 400', async () => {
  const u = await record();
  const { body } = await wait(u, (await s.get(u, '/r4/$export?_type=Patient&_since=2000-01-01T00:00:00Z', later)).headers.get('content-location'));
  assert.deepEqual(body.output.map((f) => f.type), ['Patient']);
  for (const bad of ['_since=x', '_type=Foo']) outcome(await s.get(u, `/r4/$export?${bad}`, later), 400);
});
hold(190, 'a cancelled export is gone', async () => {
  const u = await record();
  const url = (await s.get(u, '/r4/$export', later)).headers.get('content-location');
  const path = url.slice(s.base.length);
  assert.equal((await s.send(u, 'DELETE', path)).status, 202);
  outcome(await s.get(u, url), 404);
  outcome(await s.send(u, 'DELETE', path), 404);
});
hold(191, 'an unknown export, or another person’s, is 404', async () => {
  const [a, b] = [await record(), await s.user()];
  const url = (await s.get(a, '/r4/$export', later)).headers.get('content-location');
  assert.equal((await s.get(b, url)).status, 404);
  assert.equal((await s.get(a, `${url.slice(0, -4)}zzzz`)).status, 404);
});
elsewhere(192, 'types without a scope are not exported', 'src/auth/policy_test.c');
elsewhere(193, 'a group’s export has its members and no others', 'tests/flows/export.test.mjs');
elsewhere(194, 'what is exported is as it was at transactionTime', 'tests/flows/export.test.mjs');
hold(195, 'the statement lists export', async () => {
  const { body } = await s.raw('/r4/metadata');
  const names = [...(body.rest[0].operation ?? []), ...body.rest[0].resource.flatMap((r) => r.operation ?? [])].map((o) => o.name);
  assert.ok(names.some((n) => n.includes('export')), names.join());
});
elsewhere(196, 'finished files expire, and say when', 'tests/flows/export.test.mjs');
never(197, '429 for those that ask too often', 'allowed, not asked for: a status costs nothing here; Retry-After says when to ask');

hold(198, 'smart-configuration without a token, for any origin', async () => {
  const answer = await s.raw('/r4/.well-known/smart-configuration', { headers: { Accept: 'text/plain', Origin: 'https://a.test' } });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  assert.ok(answer.headers.get('access-control-allow-origin'));
});
hold(199, 'its fields: token endpoint, grants, S256 alone, capabilities', async () => {
  const { body } = await s.raw('/r4/.well-known/smart-configuration');
  assert.ok(body.token_endpoint && body.capabilities.length > 0);
  assert.ok(body.grant_types_supported.includes('authorization_code'));
  assert.deepEqual(body.code_challenge_methods_supported, ['S256']);
});
hold(200, 'no token, or a bad one: 401 and Bearer', async () => {
  for (const headers of [{}, { Authorization: 'Bearer nonsense' }]) {
    const answer = await s.raw('/r4/Patient', { headers });
    assert.equal(answer.status, 401);
    assert.match(answer.headers.get('www-authenticate'), /^Bearer/);
  }
});
const authorize = 'Tributary’s persons sign in at their health systems and at the app, not here: codes come from User Management (contract 5)';
never(201, 'authorize refuses a wrong aud', authorize);
elsewhere(202, 'no redirect to what is not registered', 'tests/flows/connect.test.mjs');
const token = (fields) => s.world.post('/oauth2/token', { ...s.world.keys(), ...fields });
const code = async (name) => (await s.world.post('/user-management/v1/user', { ...s.world.keys(), app_user_id: name })).body.code;
hold(203, 'the token answer, and that nobody keeps it', async () => {
  const answer = await s.raw('/oauth2/token', { method: 'POST', body: new URLSearchParams({ ...s.world.keys(), grant_type: 'authorization_code', code: await code('t203') }) });
  assert.equal(answer.status, 200);
  assert.ok(answer.body.access_token && answer.body.expires_in > 0 && typeof answer.body.scope === 'string');
  assert.match(answer.body.token_type, /^bearer$/i);
  assert.match(answer.headers.get('cache-control'), /no-store/);
});
hold(204, 'bad codes, used codes, wrong apps: 400 or 401 with an error', async () => {
  const used = await code('t204');
  assert.equal((await token({ grant_type: 'authorization_code', code: used })).status, 200);
  for (const fields of [{ code: used }, { code: 'f'.repeat(32) }, { code: used, client_id: '0'.repeat(32) }]) {
    const answer = await token({ grant_type: 'authorization_code', ...fields });
    assert.ok([400, 401].includes(answer.status));
    assert.ok(answer.body.error);
  }
});
hold(205, 'a code used twice takes its tokens back', async () => {
  const twice = await code('t205');
  const first = await token({ grant_type: 'authorization_code', code: twice });
  await token({ grant_type: 'authorization_code', code: twice });
  assert.equal((await s.raw('/r4/Patient', { headers: { Authorization: `Bearer ${first.body.access_token}` } })).status, 401);
});
hold(206, 'the scope is said, and v1 and v2 forms are read', async () => {
  const answer = await token({ grant_type: 'authorization_code', code: await code('t206') });
  assert.ok(answer.body.scope.length > 0);
});
never(207, 'launch context patient', authorize);
never(208, 'id_token', authorize);
hold(209, 'refresh: 200; narrower on request; wider or unknown refused', async () => {
  const first = (await token({ grant_type: 'authorization_code', code: await code('t209') })).body;
  const second = await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token });
  assert.equal(second.status, 200);
  const narrow = await token({ grant_type: 'refresh_token', refresh_token: second.body.refresh_token, scope: 'user/Patient.read' });
  assert.equal(narrow.status, 200, JSON.stringify(narrow.body));
  assert.equal(narrow.body.scope, 'user/Patient.read');
  const headers = { Authorization: `Bearer ${narrow.body.access_token}` };
  assert.equal((await s.raw('/r4/Patient', { headers })).status, 200);
  assert.equal((await s.raw('/r4/Observation', { headers })).status, 403);
  assert.equal((await token({ grant_type: 'refresh_token', refresh_token: narrow.body.refresh_token, scope: 'system/*.*' })).status, 400);
  assert.ok([400, 401].includes((await token({ grant_type: 'refresh_token', refresh_token: 'nonsense' })).status));
});
hold(210, 'revocation: 200, then the token is 401', async () => {
  const pair = (await token({ grant_type: 'authorization_code', code: await code('t210') })).body;
  const revoke = await s.raw('/oauth2/revoke', { method: 'POST', body: new URLSearchParams({ ...s.world.keys(), token: pair.access_token }) });
  assert.equal(revoke.status, 200, revoke.text);
  assert.equal((await s.raw('/r4/Patient', { headers: { Authorization: `Bearer ${pair.access_token}` } })).status, 401);
  assert.ok([400, 401].includes((await token({ grant_type: 'refresh_token', refresh_token: pair.refresh_token })).status));
});
hold(211, 'introspection: who and what, of others only that it is not active', async () => {
  const pair = (await token({ grant_type: 'authorization_code', code: await code('t211') })).body;
  const ask = async (text) => (await s.raw('/oauth2/introspect', { method: 'POST', body: new URLSearchParams({ ...s.world.keys(), token: text }) })).body;
  const told = await ask(pair.access_token);
  assert.ok(told.active && told.scope === pair.scope && told.client_id === s.world.keys().client_id && told.exp > 0 && told.sub);
  assert.deepEqual(await ask('nonsense'), { active: false });
});
never(212, 'private_key_jwt for backend services', 'apps have keys of the contract’s form (section 5): client_credentials with a secret');
never(213, 'granular scopes with a query', 'such a scope grants nothing here rather than too much (src/auth/policy.c)');
elsewhere(214, 'confidential apps by Basic and by body', 'src/auth/token_test.c');
never(215, 'authorize by POST', authorize);
elsewhere(216, 'TLS 1.2 or newer', 'src/http/server_test.c');
never(217, 'fhirContext', authorize);
hold(218, 'a refresh token comes with the first token', async () => {
  assert.ok((await token({ grant_type: 'authorization_code', code: await code('t218') })).body.refresh_token);
});

hold(219, '$validate: 200 and what is wrong inside', async () => {
  const u = await s.user();
  const good = await s.send(u, 'POST', '/r4/Patient/$validate', patient());
  assert.equal(good.status, 200, good.text);
  assert.ok(!good.body.issue.some((i) => i.severity === 'error'));
  const bad = await s.send(u, 'POST', '/r4/Patient/$validate', patient({ birthDate: 'yesterday', shoe: 44 }));
  assert.equal(bad.status, 200);
  assert.ok(bad.body.issue.filter((i) => i.severity === 'error').length >= 2);
});
hold(220, 'an unknown operation is 404 or 400', async () => {
  const u = await s.user();
  for (const path of ['/r4/Patient/$foo', '/r4/$foo', '/r4/Patient/p/$foo']) assert.ok([400, 404].includes((await s.get(u, path)).status), path);
});
elsewhere(221, 'every access leaves a row, failures too', 'src/audit/audit_test.c');
hold(222, 'health without a token, and nothing of anybody', async () => {
  const answer = await s.raw('/health');
  assert.equal(answer.status, 200);
  assert.ok(answer.text.length < 200);
});
hold(223, 'headers are limited: too many are refused', async () => {
  const headers = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`x-extra-${i}`, 'v']));
  assert.ok([400, 431].includes((await s.raw('/health', { headers })).status));
});
