// A real browser goes the whole way: search, choose, sign in, allow, and arrive
// at the app; deny; the same without JavaScript.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { World } from '../support/world.mjs';
import { launch } from '../support/browser.mjs';
import { freePort, run } from '../support/programs.mjs';

let world, browser, app, callback;

before(async () => {
  const port = await freePort();
  callback = `http://127.0.0.1:${port}/callback`;
  app = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><html lang="en"><title>The app</title><h1>The app</h1>');
  });
  await new Promise((done) => app.listen(port, '127.0.0.1', done));
  world = await World.start();
  run('tributary', ['app', 'redirect', world.app.client_id, callback, '--data', world.data]);
  await world.server.stop();
  await world.startServer(); // apps are cached for a while
  browser = await launch();
});

after(async () => {
  await browser?.close();
  app?.close();
  await world?.stop();
});

// Searches, picks the system whose link leads to id, signs in, and presses the
// button; returns where the browser arrived.
async function go({ word, id, login, allow = true, fhirVersion, javaScript = true, name }) {
  const user = await world.user(name);
  const context = await browser.newContext({ javaScriptEnabled: javaScript });
  const page = await context.newPage();
  const outside = [];
  page.on('request', (r) => { if (!r.url().includes('127.0.0.1')) outside.push(r.url()); });
  try {
    const ask = new URLSearchParams({ access_token: user.token, client_id: world.app.client_id, ...(fhirVersion ? { fhirVersion } : {}) });
    await page.goto(`${world.base}/search?${ask}`);
    await page.fill('input[type=search]', word);
    await page.press('input[type=search]', 'Enter');
    const link = page.locator(`a[href*="/clinical/${id}"], a[href*="/connect/${id}"], button[value="${id}"]`).first();
    await link.waitFor({ timeout: 10000 });
    await link.click();
    await page.waitForSelector('[name=login_username]', { timeout: 15000 });
    await page.fill('[name=login_username]', login[0]);
    await page.fill('[name=login_password]', login[1]);
    await page.press('[name=login_password]', 'Enter');
    await page.waitForSelector('#allowButton', { timeout: 15000 });
    if (allow) await page.click('#allowButton');
    else await page.locator('button:not(#allowButton)').filter({ hasText: /deny|do not|don.t|cancel/i }).first().click();
    await page.waitForURL(`${callback}*`, { timeout: 20000 });
    assert.equal(await page.textContent('h1'), 'The app');
    assert.deepEqual(outside, [], 'no third-party request');
    return { user, back: new URL(page.url()).searchParams };
  } finally {
    await context.close();
  }
}

const journeys = [
  { name: 'epic', word: 'Epic', id: 4706, login: ['fhirjason', 'epicepic1'], version: 'r4', type: 'Observation' },
  { name: 'oracle', word: 'Cerner', id: 4707, login: ['wilmasmart', 'Cerner01'], version: 'r4', type: 'Observation' },
  { name: 'bluebutton', word: 'Blue Button', id: 4748, login: ['BBUser29999', 'PW29999!'], version: 'r4', type: 'ExplanationOfBenefit' },
  { name: 'dstu2', word: 'Cerner', id: 4707, login: ['wilmasmart', 'Cerner01'], version: 'dstu2', fhirVersion: 'dstu2', type: 'MedicationOrder' },
];
for (const journey of journeys) {
  test(`${journey.name}: search, sign in, allow, arrive; the record follows`, async () => {
    const { user, back } = await go(journey);
    assert.equal(back.get('success'), 'true');
    assert.equal((await world.get(user, `/${journey.version}/Patient`)).body.total, 1);
    await world.ingested(user);
    assert.ok((await world.get(user, `/${journey.version}/${journey.type}`)).body.total > 0);
  });
}

test('denying arrives with success=false and access_denied', async () => {
  const { back } = await go({ name: 'denied', word: 'Epic', id: 4706, login: ['fhirjason', 'epicepic1'], allow: false });
  assert.equal(back.get('success'), 'false');
  assert.equal(back.get('error'), 'access_denied');
});

test('all of it works without JavaScript', async () => {
  const { back } = await go({ name: 'plain', word: 'Epic', id: 4706, login: ['fhirjason', 'epicepic1'], javaScript: false });
  assert.equal(back.get('success'), 'true');
});
