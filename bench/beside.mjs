// beside.mjs SQLITE POSTGRES - two runs' figures in one table.
import { readFileSync } from 'node:fs';

const [sqlite, postgres] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')));
const shown = (r) => (r ? `${r.value}${r.range ? ` (${r.range})` : ''}` : 'failed');
console.log('| figure | unit | SQLite | PostgreSQL | aim |\n| --- | --- | ---: | ---: | ---: |');
for (const name of new Set([...sqlite, ...postgres].map((r) => r.name))) {
  const [a, b] = [sqlite, postgres].map((rows) => rows.find((r) => r.name === name));
  console.log(`| ${name} | ${(a ?? b).unit} | ${shown(a)} | ${shown(b)} | ${(a ?? b).aim} |`);
}
