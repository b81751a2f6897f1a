// Three people of the shared bundles, one a release; all of them:
// node tests/clients/compare.mjs
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, build, shared } from '../support/programs.mjs';

const there = existsSync(join(shared, 'patients'));
test('what is stored equals the bundles', { skip: there ? false : 'no ../shared/data/patients' }, () => {
  const people = ['synthea-collins-alysia-55', 'smart-2169591', 'blaze-9a174f9e', 'inferno-uscore-85', 'custom-diabetes'];
  const done = spawnSync(process.execPath, [join(root, 'tests/clients/compare.mjs'), ...people.flatMap((p) => ['--file', p])], {
    encoding: 'utf8', env: { ...process.env, TRIBUTARY_BUILD: build }, timeout: 240000,
  });
  assert.equal(done.status, 0, `${done.stdout}${done.stderr}`);
  assert.match(done.stdout, / 0 differ/);
});
