// Every page as a person meets it: with and without scripts, framed and not,
// on a phone and on a desk, by light and by dark.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { World } from '../support/world.mjs';
import { Browser, DESKTOP, PHONE, picture } from '../support/browser.mjs';
import { audit } from '../support/audit.mjs';
import { run } from '../support/programs.mjs';

let world, browser, user;
before(async () => {
  world = await World.start();
  browser = await Browser.start();
  user = await world.user('person');
});
after(async () => {
  await browser?.stop();
  await world?.stop();
});

const search = (more = {}) => `${world.base}/search?${new URLSearchParams({ access_token: user.token, client_id: world.app.client_id, ...more })}`;
const titles = (page) => page.locator('.card .title').allTextContents();

// An app of which nobody said where its people go back to.
async function appWithoutRedirect() {
  const app = JSON.parse(run('tributary', ['app', 'create', 'Kiosk', '--json', '--data', world.data]));
  const other = Object.create(world, { app: { value: app } });
  return { app, user: await other.user('kiosk') };
}

async function signIn(page, name, password) {
  await page.fill('[name=login_username]', name);
  await page.fill('[name=login_password]', password);
  await page.press('[name=login_password]', 'Enter');
}

const pages = () => ({
  home: `${world.base}/`,
  search: search(),
  'search-nothing': search({ query: 'zzz nowhere' }),
  'not-signed-in': `${world.base}/search`,
  expired: `${world.base}/search?access_token=0123456789abcdef0123456789abcdef01234567`,
  quick: `${world.base}/connect/4707?access_token=${user.token}&bg=f0d0ff`,
  'quick-expired': `${world.base}/connect/4707?access_token=bad`,
  failed: `${world.base}/connect/callback?state=never&code=x`,
  nothing: `${world.base}/connect/system/clinical/999999?access_token=${user.token}`,
});

for (const [look, options] of Object.entries({
  'phone-light': { size: PHONE }, 'phone-dark': { size: PHONE, dark: true },
  'desktop-light': { size: DESKTOP }, 'desktop-dark': { size: DESKTOP, dark: true },
  'narrow': { size: { width: 320, height: 640 } },
}))
  test(`every page can be read and used: ${look}`, async () => {
    const page = await browser.window(options);
    for (const [name, url] of Object.entries(pages())) {
      await page.goto(url);
      assert.deepEqual(await page.evaluate(audit), [], name);
      if (look !== 'narrow') await picture(page, `${name}-${look}`);
    }
    page.check();
  });

test('the checks of a page find what is wrong with one', async () => {
  const page = await browser.window();
  await page.setContent('<h1>a</h1><h3>b</h3><input type="text"><img src="data:,"><p style="color:#999">pale</p><a href="/x"></a>');
  const found = (await page.evaluate(audit)).join('\n');
  for (const fault of [/no language/, /no title/, /0 main/, /skips a level/, /no name: <input/, /no name: <a/, /no alt/, /contrast 2\.8/])
    assert.match(found, fault);
});

test('each page has a policy that forbids what it does not need, and keeps no token', async () => {
  for (const [name, url] of Object.entries(pages())) {
    const answer = await fetch(url, { headers: { Accept: 'text/html' }, redirect: 'manual' });
    const csp = answer.headers.get('content-security-policy');
    assert.match(csp, /default-src 'none'/, name);
    assert.doesNotMatch(csp, /unsafe|https?:|\*/, name);
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer', name);
    assert.match(answer.headers.get('cache-control') ?? '', /no-store/, name);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', name);
  }
});

test('programs get JSON where people get a page', async () => {
  const url = `${world.base}/connect/4707?access_token=bad`;
  const forProgram = await fetch(url);
  assert.equal(forProgram.status, 401);
  assert.match(forProgram.headers.get('content-type'), /json/);
  const forPerson = await fetch(url, { headers: { Accept: 'text/html' } });
  assert.equal(forPerson.status, 401);
  assert.match(await forPerson.text(), /This link has expired/);
});

test('results come while one types, and more of them in place', async () => {
  const page = await browser.window();
  await page.goto(search());
  assert.equal((await titles(page)).length, 20);
  const before = page.url();
  await page.click('#next');
  await page.waitForFunction(() => document.querySelectorAll('.card').length > 20);
  const all = await titles(page);
  assert.equal(all.length, world.systems.length);
  assert.equal(new Set(all).size, all.length, 'none twice');
  assert.equal(await page.evaluate(() => [...document.querySelectorAll('a.card')].indexOf(document.activeElement)), 20,
    'the first new one has the focus');
  await page.fill('#query', 'epic');
  await page.waitForFunction(() => document.querySelectorAll('.card').length === 1);
  assert.match((await titles(page))[0], /EPIC/);
  await page.fill('#query', '');
  await page.getByLabel('Health plans').check();
  await page.waitForFunction(() => document.querySelectorAll('.card').length > 1);
  assert.equal(await page.locator('.card').count(), await page.locator('.card .tag:not(.quiet)').count());
  assert.equal(page.url(), before, 'the page stayed');
  page.check();
});

test('a postal code finds what is near, a city what is there, odd signs do no harm', async () => {
  const page = await browser.window({ scripts: false });
  await page.goto(search({ query: '53593' }));
  assert.match((await titles(page))[0], /EPIC/);
  await page.goto(search({ query: 'kansas city' }));
  assert.deepEqual(await titles(page), ['Cerner Medical Center (demo)']);
  await page.goto(search({ query: '<script>(epic), "medical" %' }));
  assert.equal((await page.inputValue('#query')).replace(/ +/g, ' '), 'script epic medical');
  page.check();
});

test('without scripts the form and the pages of results work', async () => {
  const page = await browser.window({ scripts: false });
  await page.goto(search());
  const first = await titles(page);
  await page.click('#next');
  const second = await titles(page);
  assert.equal(first.length + second.length, world.systems.length);
  assert.equal(first.filter((t) => second.includes(t)).length, 0);
  await page.click('#previous');
  assert.deepEqual(await titles(page), first);
  await page.fill('#query', 'epic');
  await page.press('#query', 'Enter');
  assert.match((await titles(page)).join(), /EPIC/);
  assert.match(await page.locator('a.card').first().getAttribute('href'), /access_token=/);
});

test('the keyboard reaches everything, visibly', async () => {
  const page = await browser.window();
  await page.goto(search({ query: 'epic medical' }));
  const stops = [];
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press('Tab');
    stops.push(await page.evaluate(() => {
      const e = document.activeElement;
      const shown = e.matches('.kinds input') ? e.nextElementSibling : e;
      return { what: e.id || e.className || e.name, outline: getComputedStyle(shown).outlineStyle };
    }));
  }
  assert.deepEqual(stops.slice(0, 5).map((s) => s.what), ['skip', 'query', 'BUTTON', 'kind', 'card']
    .map((w) => (w === 'BUTTON' ? 'button' : w)));
  for (const stop of stops.slice(0, 5)) assert.equal(stop.outline, 'solid', stop.what);
});

// A developer's page of another origin that frames the search page.
async function framing(script, then) {
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(`<!doctype html><html lang="en"><title>parent</title><iframe id="f" width="700" height="710"></iframe><script>${script}</script>`);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  try {
    return await then(`http://127.0.0.1:${server.address().port}/`);
  } finally {
    server.closeAllConnections?.();
    server.close();
  }
}

test('a parent page hands the token over by a MessageChannel, and again when it is newer', () => {
  const script = `
    const f = document.getElementById('f');
    window.hand = (jwt) => {
      const c = new MessageChannel();
      f.contentWindow.postMessage('', '${world.base}', [c.port2]);
      c.port1.postMessage({ jwt });
    };
    f.onload = () => hand('${user.token}');
    f.src = '${world.base}/search';`;
  return framing(script, async (url) => {
    const page = await browser.window();
    await page.goto(url);
    const frame = page.frameLocator('#f');
    await frame.locator('.card').first().waitFor();
    assert.equal(await frame.locator('.card').count(), 20);
    assert.equal(await frame.locator('#not-signed-in').count(), 0);
    const newer = await world.user('newer');
    await page.evaluate((t) => window.hand(t), newer.token);
    await frame.locator(`a.card[href*="${newer.token}"]`).first().waitFor();
    await frame.locator('#query').fill('epic');
    await frame.locator('.count', { hasText: /^1 place$/ }).waitFor();
    await frame.locator('a.card').click();
    await page.waitForURL((u) => u.origin === world.sandboxBase);
    assert.equal(page.frames().length, 1, 'the sign-in has the whole window');
    page.check();
  });
});

test('a page that frames us without a word sees a note, not a blank', () =>
  framing(`document.getElementById('f').src = '${world.base}/search/';`, async (url) => {
    const page = await browser.window();
    await page.goto(url);
    await page.frameLocator('#f').getByText('You are not signed in.').waitFor();
  }));

test('other pages refuse to be framed', () =>
  framing(`document.getElementById('f').src = '${world.base}/';`, async (url) => {
    const page = await browser.window();
    await page.goto(url);
    await page.waitForFunction(() => document.getElementById('f').contentDocument === null);
    await assert.rejects(page.frameLocator('#f').locator('h1').waitFor({ timeout: 1000 }));
    assert.match(page.faults.join(), /frame/i);
  }));

test('quick connect has a button, and the person chooses to press it', async () => {
  const page = await browser.window({ size: PHONE });
  await page.goto(`${world.base}/connect/4706?access_token=${user.token}&state=s1`);
  assert.match(await page.locator('h1').textContent(), /EPIC/);
  assert.match(await page.locator('main').textContent(), /Test app/);
  await page.click('#connect');
  await page.waitForURL((u) => u.origin === world.sandboxBase);
  page.check();
});

for (const scripts of [true, false])
  test(`an app without a redirect URI: the person sees the collecting to its end, ${scripts ? 'live' : 'without scripts'}`, async () => {
    const { app, user: kiosk } = await appWithoutRedirect();
    const page = await browser.window({ size: PHONE, scripts });
    await page.goto(`${world.base}/search?${new URLSearchParams({ access_token: kiosk.token, client_id: app.client_id, query: 'epic' })}`);
    await page.click('a.card');
    await signIn(page, 'fhirjason+slow', 'epicepic1');
    await page.click('#allowButton');
    await page.waitForURL((u) => u.pathname === '/connected');
    assert.ok(!page.url().includes(kiosk.token), 'no token in the address');
    const text = () => page.locator('#summary').textContent();
    if (scripts) {
      await page.waitForFunction(() => /^\d+ of \d+ kinds/.test(document.getElementById('summary').textContent) &&
        document.getElementById('live').dataset.state !== 'done');
      await picture(page, 'collecting-phone-light');
      assert.deepEqual(await page.evaluate(audit), []);
    }
    await page.locator('h1', { hasText: 'Your records are here' }).waitFor({ timeout: 60000 });
    const [, done, total] = /^(\d+) of (\d+) kinds of record, [\d,]+ records\.$/.exec(await text()) ?? assert.fail(await text());
    assert.equal(done, total);
    assert.ok(Number(total) > 5);
    assert.deepEqual(await page.evaluate(audit), []);
    await picture(page, `connected-phone-${scripts ? 'light' : 'plain'}`);
    page.check();
  });

test('the collecting page is for the holder of its ticket or of a token only', async () => {
  for (const url of ['/connected', '/connected?t=', '/connected?t=abcd', '/connected?access_token=no'])
    assert.equal((await fetch(world.base + url)).status, 401, url);
  assert.equal((await fetch(`${world.base}/connected?access_token=${user.token}&system_id=4748`)).status, 404);
});

test('denying, for an app without a redirect URI, says what to do next', async () => {
  const app = JSON.parse(run('tributary', ['app', 'create', 'Kiosk two', '--json', '--data', world.data]));
  const person = await Object.create(world, { app: { value: app } }).user('denier');
  const page = await browser.window();
  await page.goto(`${world.base}/connect/system/clinical/4706?access_token=${person.token}`);
  await signIn(page, 'fhirjason', 'epicepic1');
  await page.locator('#allowButton').waitFor();
  await page.locator('button:not(#allowButton)').click();
  await page.locator('h1', { hasText: 'You did not allow access' }).waitFor();
  assert.match(await page.locator('main').textContent(), /What to do next/);
  assert.deepEqual(await page.evaluate(audit), []);
  await picture(page, 'denied-desktop-light');
  await page.reload();
  await page.locator('h1', { hasText: 'This sign-in cannot be continued' }).waitFor();
});
