// make-assertions.mjs [--check] - the table of the numbered assertions in
// docs/fhir.md, from the tests of tests/assertions; --check says whether it is
// as it should be, and that all of 1 to 223 are there once.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'tests/assertions');
const rows = new Map();
for (const file of readdirSync(folder).filter((f) => f.endsWith('.test.mjs')).sort()) {
  const text = readFileSync(join(folder, file), 'utf8');
  const said = Object.fromEntries([...text.matchAll(/^const (\w+) = '((?:[^'\\]|\\.)*)';$/gm)].map((m) => [m[1], m[2]]));
  for (const m of text.matchAll(/^(hold|elsewhere|never)\((\d+), '((?:[^'\\]|\\.)*)', ?(?:'((?:[^'\\]|\\.)*)'|(\w+))?/gm)) {
    const [, how, number, sentence, quoted, name] = m;
    const why = (quoted ?? said[name] ?? '').replace(/\\(.)/g, '$1');
    if (rows.has(Number(number))) throw new Error(`${number} is there twice`);
    rows.set(Number(number), `| ${number} | ${sentence.replace(/\\(.)/g, '$1').replace(/\|/g, '\\|')} | ${how === 'hold' ? `held: ${file.replace('.test.mjs', '')}` : how === 'elsewhere' ? `held: ${why}` : `not here: ${why}`} |`);
  }
}
const lost = Array.from({ length: 223 }, (_, i) => i + 1).filter((n) => !rows.has(n));
if (lost.length) throw new Error(`no test or reason for ${lost.join(', ')}`);
const table = `| | what is held | where |\n| ---: | --- | --- |\n${[...rows].sort((a, b) => a[0] - b[0]).map(([, row]) => row).join('\n')}\n`;
const path = join(root, 'docs/fhir.md');
const text = readFileSync(path, 'utf8');
const made = text.replace(/(<!-- assertions -->\n)[^]*?(<!-- end -->)/, (_, a, b) => a + table + b);
if (process.argv.includes('--check')) {
  if (made !== text) throw new Error('docs/fhir.md: run node tools/make-assertions.mjs');
} else {
  writeFileSync(path, made);
}
const count = (how) => [...rows.values()].filter((r) => r.includes(`| ${how}`)).length;
console.log(`assertions: ${count('held')} held, ${count('not here')} not applicable`);
