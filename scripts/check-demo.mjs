#!/usr/bin/env node
// Runs the demo for some seconds as a user would and checks what it publishes: the same events on
// standard output, on MQTT and in the database; labels OFF and state offline at the end.
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
for (const problem of problems) process.stderr.write(`check-demo: NOT so: ${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
