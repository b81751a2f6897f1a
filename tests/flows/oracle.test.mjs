// A short run of tests/oracle: random searches against a naive evaluator.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { shared } from '../support/programs.mjs';

const there = existsSync(join(shared, 'fhir/r4/search-parameters.json'));
test('random searches are answered as the naive evaluator does', { skip: there ? false : 'no ../shared/data: the official search parameters are not here' }, async (t) => {
  const { run } = await import('../oracle/oracle.mjs');
  const lines = [];
  const { differences, seed } = await run({ queries: 3000, log: (line) => lines.push(line) });
  t.diagnostic(`seed ${seed}`);
  assert.equal(differences, 0, lines.join('\n'));
});
