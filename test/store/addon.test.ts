import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import t from 'tap';
import { addonError, requireSoundAddon } from '#mobilenetd/store/addon.js';

/** What better-sqlite3 throws when its addon is the given file. */
function thrownBy(nativeBinding: string): unknown {
  try {
    new SQLite(':memory:', { nativeBinding });
    return null;
  } catch (error) {
    return error;
  }
}

t.test('an addon that cannot be loaded is told with the Node it would need', async (t) => {
  const addon = join(t.testdir(), 'broken.node');
  writeFileSync(addon, 'not a shared library');
  const error = addonError(thrownBy(addon));
  t.match(error, { code: 'MND_STORE_ADDON', exitCode: 69 });
  t.match(error?.message, `ABI ${process.versions.modules}`);
  t.match(error?.message, /Node 20, 22 or 24/);
  const missing = new Error('Could not locate the bindings file. Tried:\n → a\n → b');
  t.match(addonError(missing), { code: 'MND_STORE_ADDON' });
});

t.test('other errors are left as they are', async (t) => {
  t.equal(addonError(new SQLite.SqliteError('disk full', 'SQLITE_FULL')), null);
  t.equal(addonError('nothing'), null);
});

t.test('an addon that Node would end at a garbage collection is refused', async (t) => {
  const places = [
    'build/Release',
    `lib/binding/node-v${process.versions.modules}-${process.platform}-${process.arch}`,
  ];
  for (const place of places) {
    const folder = t.testdir();
    mkdirSync(join(folder, place), { recursive: true });
    const file = join(folder, place, 'better_sqlite3.node');
    writeFileSync(file, '\x7fELF _ZN4node28RemoveEnvironmentCleanupHookEPN2v87IsolateEPFvPvES3_');
    t.throws(() => requireSoundAddon(folder), {
      code: 'MND_STORE_ADDON',
      message: /npm rebuild better-sqlite3/,
    });
  }
  const text = '\x7fELF _ZN4node25AddEnvironmentCleanupHookEPN2v87IsolateEPFvPvES3_';
  requireSoundAddon(t.testdir({ build: { Release: { 'better_sqlite3.node': text } } }));
  requireSoundAddon(t.testdir());
  requireSoundAddon();
});
