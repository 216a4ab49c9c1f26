import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import SQLite from 'better-sqlite3';
import t from 'tap';
import { event, setup } from './sample-store.js';

/** Writes bytes into a closed database. */
function poke(file: string, offset: number, ...bytes: number[]): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Buffer.from(bytes), 0, bytes.length, offset);
  closeSync(descriptor);
}

function edit(file: string, sql: string): void {
  const database = new SQLite(file);
  database.unsafeMode();
  database.exec(sql);
  database.close();
}

const DAMAGE: Readonly<Record<string, (file: string) => void>> = {
  'the name of the format': (file) => poke(file, 0, 0x53, 0x51, 0x4c, 0x00),
  'the page size': (file) => poke(file, 16, 0x0f, 0x0f),
  'the version for writing: SQLite calls it a read-only database': (file) => poke(file, 18, 9),
  'the version for reading': (file) => poke(file, 18, 2, 9),
  'the schema format: SQLite calls it an unsupported file format': (file) =>
    poke(file, 44, 0, 0, 0, 200),
  'the version of the schema: SQLite calls it a table that exists': (file) =>
    poke(file, 60, 0, 0, 0, 0),
  'the version of the schema beyond all reason': (file) => poke(file, 60, 0x80, 0, 0, 3),
  'the application id': (file) => poke(file, 68, 1, 2, 3, 4),
  'a table that is gone': (file) => edit(file, 'DROP TABLE outbox'),
  'a column that is gone': (file) => edit(file, 'ALTER TABLE event DROP COLUMN count'),
  'the root of a table': (file) => poke(file, 4096 * 2, ...new Array(4096).fill(0x5a)),
  'nothing but zeros': (file) => writeFileSync(file, Buffer.alloc(readFileSync(file).length)),
};

for (const [name, spoil] of Object.entries(DAMAGE)) {
  t.test(`damage to ${name}`, async (t) => {
    const { file, log, open } = setup(t);
    const first = open();
    for (let n = 0; n < 20; n += 1) first.recordEvents([event({ id: `e${n}` })], []);
    first.close();
    spoil(file);
    const store = open();
    t.equal(store.recordEvents([event({ id: 'new' })], []), true, 'a new one is written');
    t.match(store.health(), { writable: true, error: null });
    t.match(log.lines.at(-1), { level: 'error', message: /damaged.*set aside as .*corrupt-/ });
    t.equal(readdirSync(dirname(file)).filter((entry) => entry.includes('.corrupt-')).length, 1);
    store.close();
  });
}
