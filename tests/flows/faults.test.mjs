// A choice of the faults that real systems have; all 51 of them:
// node tests/clients/faults.mjs
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, build } from '../support/programs.mjs';

const faults = ['429', 'truncated', 'wrong-type', 'bom', 'duplicates', 'next-loop', 'next-missing', 'next-host',
  'empty-page', 'other-patient', 'foreign-refs', 'redirect-away', 'odd-ids', 'deep', 'types-refused', 'binary-raw', 'revoked'];

test(`${faults.length} faults of real systems are survived and reported`, () => {
  const done = spawnSync(process.execPath, [join(root, 'tests/clients/faults.mjs'), ...faults], {
    encoding: 'utf8', env: { ...process.env, TRIBUTARY_BUILD: build }, timeout: 240000,
  });
  assert.equal(done.status, 0, `${done.stdout}${done.stderr}`);
  assert.match(done.stdout, /0 bad/);
});
