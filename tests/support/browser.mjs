// A person's browser: Debian's Chromium by Playwright's core.  A page that
// breaks its own security policy, throws, or asks any other host than those of
// the test fails the test.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { root } from './programs.mjs';

const program = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 900 };

export function launch() {
  if (!program) throw new Error('no Chromium: run tools/deps.sh test');
  return chromium.launch({ executablePath: program, headless: true, args: flags });
}

export class Browser {
  static async start() {
    const b = new Browser();
    b.browser = await launch();
    return b;
  }

  stop() {
    return this.browser.close();
  }

  // A fresh person's window.  What goes wrong in it is kept for check().
  async window({ size = DESKTOP, scripts = true, dark = false, calm = false } = {}) {
    const context = await this.browser.newContext({
      viewport: size, javaScriptEnabled: scripts, colorScheme: dark ? 'dark' : 'light',
      reducedMotion: calm ? 'reduce' : 'no-preference',
    });
    context.setDefaultTimeout(30000);
    const page = await context.newPage();
    const faults = [];
    page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 40[0134]/.test(message.text())) faults.push(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (/^http/.test(protocol) && hostname !== '127.0.0.1') faults.push(`a request to ${hostname}`);
    });
    page.faults = faults;
    page.check = () => {
      if (faults.length) throw new Error(faults.join('\n'));
    };
    return page;
  }
}

// Where SCREENSHOTS says, or nowhere.
export async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(join(root, folder), { recursive: true });
  await page.screenshot({ path: join(root, folder, `${name}.png`), fullPage: true });
}
