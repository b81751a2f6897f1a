// Runs every *.test.mjs of flows, clients and browser, one after the other, and
// closes with "N passed, N failed".  Arguments choose by part of the path.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const chosen = process.argv.slice(2);
const files = ['flows', 'assertions', 'clients', 'browser'].flatMap((folder) => {
  try {
    return readdirSync(join(here, folder)).filter((f) => f.endsWith('.test.mjs')).sort().map((f) => join(here, folder, f));
  } catch {
    return [];
  }
}).filter((f) => chosen.length === 0 || chosen.some((c) => f.includes(c)));

let passed = 0, failed = 0;
for (const file of files) {
  const out = await new Promise((done) => {
    const node = spawn(process.execPath, ['--test', file], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    node.stdout.on('data', (d) => { text += d; });
    node.on('exit', () => done(text));
  });
  const number = (name) => Number(new RegExp(`^# ${name} (\\d+)|^ℹ ${name} (\\d+)`, 'm').exec(out)?.slice(1).find(Boolean) ?? 0);
  const pass = number('pass'), fail = number('fail') + number('cancelled');
  passed += pass;
  failed += fail + (pass + fail + number('skipped') === 0 ? 1 : 0);
  console.log(`${fail ? 'FAIL' : 'ok  '} ${file.slice(here.length + 1)}: ${pass} passed, ${fail} failed`);
  if (fail || pass + fail === 0) console.log(out);
  else for (const line of out.split('\n')) if (/# SKIP|# skip/.test(line)) console.log(`     ${line.trim()}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
