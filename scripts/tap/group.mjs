// Writes what `npm test` runs into .build/run: each file there is one process and imports some test files of one
// room. A process, tap and what most tests import cost as much CPU as many a test file: a third of the whole.
//
// A test file that changes what belongs to the whole process (environment, time zone, flags of the engine,
// listeners, global mocks) or measures it says so in its first line: `// A process of its own: WHY`.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

const TESTS = 'test';
const RUN = '.build/run';
const ALONE = /^\/\/ A process of its own: \S/;

/** Tests that wait (for a daemon, a broker, a server) run beside each other, not one after the other. */
const FILES_A_PROCESS = { integration: 1, cli: 2, mqtt: 3, models: 4, http: 4, doctor: 1 };
const USUALLY = 10;

/** The rooms that take longest begin first, so that the last minute has work for all processors. */
const FIRST = ['cli', 'integration', 'models', 'mqtt', 'doctor', 'documents', 'convert'];

/** Holds every test until the last file is read: else tap would end, and tidy up, between two files. */
const HEAD = `import t from 'tap';
let loaded = () => {};
void t.test('read', () => new Promise((resolve) => { loaded = resolve; }));`;

const files = readdirSync(TESTS, { recursive: true })
  .filter((name) => name.endsWith('.test.ts') && !name.startsWith('slow/'))
  .map((name) => join(TESTS, name))
  .sort();

const rooms = new Map();
const runs = [];
for (const file of files) {
  const place = dirname(relative(TESTS, file));
  const [room] = place.split('/');
  if (ALONE.test(readFileSync(file, 'utf8'))) {
    runs.push({ room, name: `${place}.${basename(file, '.test.ts')}`, members: [file] });
  } else {
    rooms.set(room, [...(rooms.get(room) ?? []), file]);
  }
}
for (const [room, members] of rooms) {
  const size = FILES_A_PROCESS[room] ?? USUALLY;
  const count = Math.ceil(members.length / size);
  const parts = Array.from({ length: count }, (_, part) =>
    members.filter((_, index) => index % count === part),
  );
  for (const [index, part] of parts.entries()) {
    const name = size === 1 ? basename(part[0], '.test.ts') : index + 1;
    runs.push({ room, name: `${room}.${name}`, members: part });
  }
}

rmSync(RUN, { recursive: true, force: true });
mkdirSync(RUN, { recursive: true });
for (const { room, name, members } of runs) {
  const place = FIRST.indexOf(room);
  const order = String(place === -1 ? FIRST.length : place).padStart(2, '0');
  const lines = members.flatMap((file) => {
    const built = relative(RUN, join('.build', file.replace(/ts$/, 'js')));
    return [`t.comment('${file}');`, `await import('${built}');`];
  });
  const path = join(RUN, `${order}-${name.replaceAll('/', '.').replace(/^\.\./, 'top.')}.test.js`);
  writeFileSync(path, `${[HEAD, ...lines, 'loaded();'].join('\n')}\n`);
}
