import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { freePort } from '../free-port.js';
import { broker, command, home } from '../integration/daemon-home.js';
import { configOf, writeConfig } from '../integration/daemon-process.js';

t.setTimeout(500_000);

/** Until something was seen, and the broker has it, however long a busy machine takes for it. */
const LOOK = ['--for', '120', '--enough', '1', '--publish-within', '120', '--json'] as const;

t.test('a look says what was seen, at the broker and on standard output', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener: heard } = await broker(t);
  const ends: string[] = [];
  heard.client.on('message', (topic, payload) => {
    const event = topic.endsWith('/events') ? JSON.parse(payload.toString()) : null;
    if (event?.type === 'end') ends.push(event.id);
  });
  const config = writeConfig(folder, { url, cameras: ['front'], pictures });
  const { status, stdout } = await command(folder, config, 'once', ...LOOK);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const summary = lines.pop();
  t.equal(status, 0);
  t.match(summary, { done: true, unpublished: 0 });
  t.ok(summary.frames > 0 && summary.first_label_s > 0, 'frames were labelled');
  t.ok(lines.length > 0 && lines.every(({ type }) => type === 'end'), 'each event has ended');
  t.ok(await heard.until('state', 'offline'), 'it says good-bye');
  t.same(new Set(ends), new Set(lines.map(({ id }) => id)), 'and the broker knows');
  const on = [...heard.values].filter(([, value]) => value === 'ON').map(([topic]) => topic);
  t.same(on, ['mobilenetd/board/front/detect/state'], 'no label stays ON');
});

t.test('what the broker does not take goes out with the next look', async (t) => {
  const { folder, pictures } = await home(t);
  const away = `mqtt://127.0.0.1:${await freePort()}`;
  const parts = { cameras: ['front'], pictures };
  const flags = [...LOOK, '--publish-within', '0.2'];
  const first = await command(
    folder,
    writeConfig(folder, { ...parts, url: away }),
    'once',
    ...flags,
  );
  t.equal(first.status, 0, 'that is no failure: it was seen');
  const summary = JSON.parse(first.stdout.trim().split('\n').at(-1) ?? '');
  t.ok(summary.unpublished > 0, 'it says how many messages wait');
  t.match(first.stderr, /messages wait in the database for mqtt:\/\/127\.0\.0\.1/);
  const { url, listener: heard } = await broker(t);
  const ids = new Set<string>();
  heard.client.on('message', (topic, payload) => {
    if (topic.endsWith('/events')) ids.add(JSON.parse(payload.toString()).id);
  });
  const second = await command(folder, writeConfig(folder, { ...parts, url }), 'once', ...LOOK);
  t.equal(second.status, 0);
  t.ok(await heard.until('state', 'offline'));
  const earlier = first.stdout
    .trim()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).id);
  t.ok(earlier.length > 0 && earlier.every((id) => ids.has(id)), 'events of the first look come');
});

t.test('nothing seen, no frame and a bad number have exit codes of their own', async (t) => {
  const { folder, pictures } = await home(t);
  const parts = { cameras: ['front'], pictures, mqtt: { embedded: { listen: '127.0.0.1:0' } } };
  const sure = join(folder, 'sure.yaml');
  writeFileSync(sure, configOf(parts).replace('enter: 0.3, stay: 0.2', 'enter: 1, stay: 0.99'));
  // As long is waited for the first frame.
  const seen = await command(folder, sure, 'once', '--for', '5');
  t.equal(seen.status, 3, seen.stderr);
  t.equal(seen.stdout, 'nothing was seen\n');
  const missing = writeConfig(folder, { ...parts, pictures: join(folder, 'none') });
  const away = await command(folder, missing, 'once', '--for', '1');
  t.equal(away.status, 69, away.stderr);
  t.match(away.stderr, /MND_CAMERA_STALLED: front/);
  t.equal((await command(folder, missing, 'once', '--for', 'soon')).status, 64);
});
