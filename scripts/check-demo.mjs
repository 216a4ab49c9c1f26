#!/usr/bin/env node
// Runs the demo for some seconds as a user would and checks what it publishes: the same events on
// standard output, on MQTT and in the database; labels OFF and state offline at the end. Then heats a
// simulated board, and checks that the governor moves both knobs while the labels stay right.
// usage: scripts/check-demo.mjs [SECONDS]
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import mqtt from 'mqtt';

const seconds = Number(process.argv[2] ?? 20);
const problems = [];
const expect = (holds, text) => {
  if (!holds) problems.push(text);
};

const demo = spawn('npm', ['run', '--silent', 'demo', '--', '--for', String(seconds), '--json'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const printed = [];
const received = [];
const retained = new Map();
let ready;
let client;

for await (const line of createInterface({ input: demo.stdout })) {
  const value = JSON.parse(line);
  if (ready !== undefined) {
    printed.push(value);
    continue;
  }
  ready = value;
  expect(ready.ready === true, 'the first line says ready');
  for (const key of ['mqtt', 'base', 'state', 'model']) {
    expect(typeof ready[key] === 'string', `the first line has ${key}`);
  }
  client = await mqtt.connectAsync(ready.mqtt, { reconnectPeriod: 0 });
  client.on('error', () => {});
  client.on('message', (topic, payload) => {
    const name = topic.slice(ready.base.length + 1);
    if (name.endsWith('/events')) received.push(JSON.parse(payload.toString()));
    else retained.set(name, payload.toString());
  });
  await client.subscribeAsync(`${ready.base}/#`, { qos: 1 });
}
const [status] = demo.exitCode === null ? await once(demo, 'exit') : [demo.exitCode];
client?.end(true);
expect(status === 0, `the demo ends with 0, not ${status}`);
expect(ready !== undefined, 'the demo gets ready');

if (ready !== undefined) {
  const query = spawnSync(
    process.execPath,
    ['dist/cli/main.js', 'query', '--events', '--json', '--limit', '10000'],
    { encoding: 'utf8', env: { ...process.env, MOBILENETD_STATE: ready.state } },
  );
  expect(query.status === 0, `query ends with 0: ${query.stderr}`);
  const stored = query.stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const storedIds = new Set(stored.map((event) => event.id));
  const seen = new Set(received.map((event) => event.label));
  expect(received.length > 0, 'events arrive on MQTT');
  expect(printed.length > 0, 'events are printed');
  expect(
    received.every((event) => storedIds.has(event.id)),
    'every published event is in the database',
  );
  expect(
    ['stop sign', 'clock', 'traffic light', 'cup'].filter((label) => seen.has(label)).length >= 3,
    `the drawn scene is recognised; seen: ${[...seen].join(', ')}`,
  );
  expect(retained.get('state') === 'offline', 'state is offline at the end');
  for (const [topic, payload] of retained) {
    expect(payload !== 'ON' || topic.endsWith('/detect/state'), `${topic} does not stay ON`);
  }
  process.stderr.write(
    `demo: ${printed.length} events printed, ${received.length} received, ${stored.length} stored; ` +
      `labels: ${[...seen].join(', ')}\n`,
  );
}
await checkWalk();
for (const problem of problems) process.stderr.write(`check-demo: NOT so: ${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);

/** What `demo --board` shows, and nothing else may be seen. */
function paradeLabels() {
  return ['stop sign', 'clock', 'traffic light', 'cup'];
}

async function checkWalk() {
  const walk = spawn(
    'npm',
    ['run', '--silent', 'demo', '--', '--board', 'pi4-case', '--for', '75'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const alphas = new Set();
  const sizes = new Set();
  const labels = [];
  let firstLabel = null;
  for await (const line of createInterface({ input: walk.stdout })) {
    const label = /^\S+ {2}\+ (.+?) +[01]\.\d\d /.exec(line)?.[1];
    if (label !== undefined) labels.push(label);
    if (label !== undefined) firstLabel ??= Date.now();
    // The first minute of labels is what a visitor watches.
    if (firstLabel === null || Date.now() - firstLabel > 60_000 || !line.includes('  ~ ')) continue;
    for (const [, alpha, size] of line.matchAll(/ (\d(?:\.\d+)?)\/(\d{2,3})\b/g)) {
      alphas.add(alpha);
      sizes.add(size);
    }
  }
  const [status] = walk.exitCode === null ? await once(walk, 'exit') : [walk.exitCode];
  expect(status === 0, `the demo on a board ends with 0, not ${status}`);
  const things = labels.filter((label) => label !== 'background');
  const strange = things.filter((label) => !paradeLabels().includes(label));
  expect(strange.length === 0, `nothing is seen that is not there; seen: ${strange.join(', ')}`);
  const order = paradeLabels();
  const wrong = things.filter((label, index) => {
    const before = things[index - 1];
    // A machine that stands still for a second loses a thing and sees it again.
    const next = order[(order.indexOf(before) + 1) % order.length];
    return before !== undefined && ![before, next].includes(label);
  });
  expect(wrong.length === 0, `things are seen in their order; seen: ${things.join(', ')}`);
  expect(new Set(things).size >= 3, `three things are seen: ${[...new Set(things)].join(', ')}`);
  expect(alphas.size >= 3, `three widths within a minute: ${[...alphas].join(', ')}`);
  expect(sizes.size >= 3, `three sizes within a minute: ${[...sizes].join(', ')}`);
  process.stderr.write(
    `demo on a board: alpha ${[...alphas].join(', ')}; ${[...sizes].join(', ')} px; labels: ${things.join(', ')}\n`,
  );
}
