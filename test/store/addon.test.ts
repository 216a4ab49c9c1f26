import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import t from 'tap';
import { addonError } from '#mobilenetd/store/addon.js';

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
