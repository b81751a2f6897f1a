// Starts and stops our programs on free ports in fresh folders, and fails the
// test whose programs reported a sanitizer's find or an error.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, existsSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const build = process.env.TRIBUTARY_BUILD ??
  ['release', 'dev'].map((p) => join(root, 'build', p)).find((p) => existsSync(join(p, 'tributary')));
export const shared = join(root, '../shared/data');

// With TRIBUTARY_TEST_DATABASE (tools/postgres.sh) each data folder has a
// PostgreSQL database of its own, made at its first use.
const made = new Map();
export function databaseOf(data) {
  const server = process.env.TRIBUTARY_TEST_DATABASE;
  if (!server || !data) return undefined;
  if (!made.has(data)) {
    const name = `f${randomBytes(8).toString('hex')}`;
    const done = spawnSync(join(process.env.PG_BIN, 'createdb'), ['-T', 'template0', '--maintenance-db', server, name], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`createdb: ${done.stderr}`);
    made.set(data, server.replace(/\/[^/?]*\?/, `/${name}?`));
  }
  return made.get(data);
}
export function databaseEnv(name, args) {
  const url = name === 'tributary' ? databaseOf(args[args.indexOf('--data') + 1]) : undefined;
  return url ? { TRIBUTARY_DATABASE: url } : {};
}

export function freePort() {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export async function until(what, condition, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (let wait = 5; ; wait = Math.min(wait * 1.5, 250)) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((done) => setTimeout(done, wait));
  }
}

async function answers(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

export class Program {
  constructor(name, args, env = {}) {
    this.name = name;
    this.log = '';
    this.process = spawn(join(build, name), args, {
      cwd: root, env: { ...process.env, ...databaseEnv(name, args), ...env }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream.on('data', (data) => { this.log += data; if (this.log.length > 64e6) this.log = this.log.slice(-32e6); });
    this.ended = new Promise((done) => this.process.once('exit', (code, signal) => {
      this.exit = { code, signal };
      done(this.exit);
    }));
  }

  async ready(url) {
    await until(`${this.name} at ${url}`, async () => {
      if (this.exit) throw new Error(`${this.name} ended: ${JSON.stringify(this.exit)}\n${this.log.slice(-2000)}`);
      return answers(url);
    }, 60);
  }

  kill(signal = 'SIGKILL') {
    if (!this.exit) this.process.kill(signal);
    return this.ended;
  }

  // Asks it to end and looks at what it said.
  async stop() {
    if (!this.exit) {
      this.process.kill('SIGTERM');
      const slow = setTimeout(() => this.process.kill('SIGKILL'), 30000);
      await this.ended;
      clearTimeout(slow);
    }
    this.check();
  }

  check() {
    const found = /(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:)[\s\S]{0,3000}/.exec(this.log);
    if (found) throw new Error(`${this.name}: ${found[0]}`);
    const line = this.log.split('\n').find((l) => l.includes('"level":"error"'));
    if (line) throw new Error(`${this.name} logged an error: ${line}`);
    if (this.exit?.signal === 'SIGKILL') return;
    if (this.exit && this.exit.code !== 0)
      throw new Error(`${this.name} ended with ${JSON.stringify(this.exit)}: ${this.log.slice(-1500)}`);
  }
}

export function run(name, args, input = '') {
  const done = spawnSync(join(build, name), args, { cwd: root, env: { ...process.env, ...databaseEnv(name, args) }, input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(`${name} ${args.join(' ')}: ${done.status} ${done.stderr}`);
  return done.stdout;
}

export function freshFolder() {
  const path = mkdtempSync(join(tmpdir(), 'tributary-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
