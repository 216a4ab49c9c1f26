#!/usr/bin/env node
// Stands in for prebuild-install in a checkout: better-sqlite3's install script runs it, and `node-gyp rebuild` where it
// fails. It fetches the addon as the real one does. Where none can be had it compiles what `node-gyp rebuild` would,
// sooner: the two long files side by side, and SQLite with the optimization of its own makefile (-O2).
// npm links the programs of a folder only after all install scripts, so it is installed from a packed copy:
//   npm pack ./scripts/addon-build --pack-destination /tmp && mv /tmp/prebuild-install-*.tgz scripts/addon-build.tgz
const { spawnSync } = require('node:child_process');
const { readFileSync, writeFileSync } = require('node:fs');
const { totalmem } = require('node:os');

/** With less memory than this, bytes, two compilers at once would swap. */
const ROOM_FOR_TWO = 1.5 * 2 ** 30;

const run = (command, args, env = {}) =>
  spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;

/** Lets the addon's own source be compiled beside SQLite, which only the linker needs. */
function compileSideBySide() {
  const file = 'build/better_sqlite3.target.mk';
  const rules = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    rules.replace(/^(\$\(OBJS\): \|).*?( \S*\/locate_sqlite3\.stamp).*$/m, '$1$2'),
  );
}

function compile() {
  if (!run('node-gyp', ['configure', '--release'])) return false;
  compileSideBySide();
  const jobs = totalmem() < ROOM_FOR_TWO ? '1' : 'max';
  return run('node-gyp', ['build', '--release'], {
    JOBS: jobs,
    CFLAGS: `-O2 ${process.env.CFLAGS ?? ''}`,
  });
}

const fetched = run(process.execPath, [
  require.resolve('prebuilt-addon/bin.js'),
  ...process.argv.slice(2),
]);
process.exit(fetched || compile() ? 0 : 1);
