// faults.mjs [FAULT...]
// A person connects through each fault of the sandbox, one after the other; what
// arrives is compared with the same person without faults.  One line a fault;
// exit code 1 when one of them lost or took in what it should not have.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { World } from '../support/world.mjs';
import { build } from '../support/programs.mjs';

const USER = ['joe_smart', 'Cerner01'];
const TYPES = ['Patient', 'Observation', 'Condition', 'Procedure', 'Encounter', 'Goal',
  'CarePlan', 'DocumentReference', 'Binary', 'Practitioner', 'Organization', 'Location'];
const typeOf = (report, name) => report.types.find((t) => t.type === name);
const told = (t) => t !== undefined && (t.status !== 'done' || t.warnings > 0);

// What may differ from the whole record, as a number or a check; the rest must be equal.
const expected = {
  'foreign-refs': { differs: { DocumentReference: 1 } },
  'odd-ids': { differs: { Condition: 3 } },
  'odd-values': { differs: { Observation: 2, Binary: 2 } },
  deep: { differs: { Binary: 1 } },
  big: { differs: { DocumentReference: 1 } },
  'types-refused': { lost: ['Condition', 'Procedure', 'Goal', 'CarePlan'], tells: ['Condition', 'Procedure', 'Goal', 'CarePlan'] },
  'patient-refused': { lost: ['Patient'], tells: ['Patient'] },
  'refs-fail': { lost: ['Practitioner', 'Organization', 'Location'] },
  'binary-missing': { lost: ['Binary'] },
  'not-a-bundle': { lost: ['Procedure'], tells: ['Procedure'] },
  'next-missing': { some: ['Observation', 'DocumentReference', 'Binary', 'Practitioner'], tells: ['Observation'] },
  'less-scope': { only: ['Patient', 'Observation'] },
  'redirect-away': { any: true },
  revoked: { any: true },
  'token-html': { refused: true },
};
// Of a whole system, or merely slow.
const skipped = new Set(['slow', 'smart-404', 'smart-html', 'metadata-500']);

function judge(rule, want, got, report) {
  if (rule.any) return got.Patient >= 1 ? [] : ['the Patient is not there'];
  const wrong = [];
  for (const type of TYPES) {
    if (rule.only && !rule.only.includes(type)) continue;
    if (rule.lost?.includes(type) || rule.some?.includes(type)) continue;
    const should = want[type] + (rule.differs?.[type] ?? 0);
    if (got[type] !== should) wrong.push(`${type} ${got[type]} of ${should}`);
  }
  for (const type of rule.tells ?? [])
    if (!told(typeOf(report, type))) wrong.push(`the report says nothing about ${type}`);
  const open = report.types.filter((t) => t.status === 'waiting' || t.status === 'running');
  if (open.length) wrong.push(`${open.length} types never ended`);
  return wrong;
}

async function counts(world, user) {
  const got = {};
  for (const type of TYPES) got[type] = (await world.get(user, `/r4/${type}?_count=1`)).body.total;
  return got;
}

async function meet(world, fault, want) {
  const user = await world.user(`meets-${fault || 'nothing'}`);
  const name = fault ? `${USER[0]}+${fault}` : USER[0];
  const rule = expected[fault] ?? {};
  const back = await world.connect(user, 11207, [name, USER[1]], { fhirVersion: 'r4' });
  if (back.searchParams.get('success') !== 'true')
    return { wrong: rule.refused ? [] : [`not connected: ${back.searchParams.get('error')}`] };
  const [report] = await world.ingested(user, 60);
  const got = await counts(world, user);
  return { got, status: report.status, wrong: want ? judge(rule, want, got, report) : [] };
}

const help = spawnSync(join(build, 'tributary-sandbox'), ['--help']).stdout.toString();
const all = help.split('connection only:\n')[1].trim().split('\n').map((l) => l.trim().split(/\s+/)[0]);
const asked = process.argv.slice(2);
const faults = (asked.length ? asked : all).filter((f) => !skipped.has(f));
const world = await World.start({});
let bad = 0;
try {
  const whole = (await meet(world, '')).got;
  for (const fault of faults) {
    const begun = Date.now();
    let wrong, status;
    try {
      ({ wrong, status } = await meet(world, fault, whole));
    } catch (error) {
      wrong = [String(error).slice(0, 200)];
    }
    bad += wrong.length ? 1 : 0;
    console.log(`${wrong.length ? 'BAD ' : 'ok  '} ${fault.padEnd(16)} ${(status ?? '').padEnd(8)} ${String(Date.now() - begun).padStart(6)} ms  ${wrong.join('; ')}`);
  }
  const log = await (await fetch(`http://127.0.0.1:${world.sandboxPort}/log`)).json();
  if (log.leaks > 0) console.log(`BAD  a bearer came to another origin, ${log.leaks} times`);
  bad += log.leaks > 0 ? 1 : 0;
} finally {
  await world.stop();
}
console.log(`${faults.length} faults, ${bad} bad`);
process.exit(bad ? 1 : 0);
