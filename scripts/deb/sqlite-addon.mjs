// Builds better-sqlite3's addon for every Node in NODES. SQLite itself does not depend on Node, so it is a library
// beside them; node-gyp would make it a part of each.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cached, NODES, nodePackage } from './cache.mjs';

const run = promisify(execFile);
/** As node-gyp's Release configuration, with the hardening Debian asks of its packages. */
const COMMON = [
  ...['-fPIC', '-pthread', '-DNDEBUG', '-fno-omit-frame-pointer', '-w'],
  ...['-fstack-protector-strong', '-Wformat', '-Wdate-time', '-D_FORTIFY_SOURCE=2'],
  ...['-D_LARGEFILE_SOURCE', '-D_FILE_OFFSET_BITS=64'],
];
const ADDON = [
  ...['-std=c++20', '-fno-rtti', '-fno-exceptions', '-fno-strict-aliasing'],
  ...['-DNODE_GYP_MODULE_NAME=better_sqlite3', '-DUSING_UV_SHARED=1', '-DUSING_V8_SHARED=1'],
  ...['-DV8_DEPRECATION_WARNINGS=1', '-D_GLIBCXX_USE_CXX11_ABI=1', '-D__STDC_FORMAT_MACROS'],
  '-DBUILDING_NODE_EXTENSION',
];
const LINK = [
  ...['-shared', '-pthread', '-Wl,-Bsymbolic', '-Wl,--exclude-libs,ALL'],
  ...['-Wl,-z,relro', '-Wl,-z,now'],
];
/** SQLite as better-sqlite3 has it, which no other program may take for the system's. */
const SQLITE = 'libmobilenetd-sqlite3.so';
/** From the folder of an addon to that of SQLite. */
const FIND = '-Wl,-rpath,$ORIGIN/..';

/**
 * Puts the addons where `bindings` (of better-sqlite3) looks for that of the running Node:
 * lib/binding/node-v<ABI>-linux-<arch>/.
 *
 * @param module folder of better-sqlite3, with its sources
 * @param fast optimizes little: for tests, in a third of the time
 */
export async function addAddons(module, target, fast) {
  const { version } = JSON.parse(readFileSync(join(module, 'package.json'), 'utf8'));
  const compiler = execFileSync(target.gxx, ['-dumpfullversion'], { encoding: 'utf8' }).trim();
  const optimize = fast ? '-O1' : '-O3';
  const flags = createHash('sha256')
    .update(JSON.stringify([optimize, COMMON, ADDON, LINK, SQLITE, FIND]))
    .digest('hex');
  const key = `sqlite-addon/${version}-${target.node}-gcc${compiler}-${flags.slice(0, 12)}`;
  const sqlite = await cached(`${key}-library`, (work) =>
    compileSqlite({ module, target, work, optimize }),
  );
  const binding = join(module, 'lib', 'binding');
  mkdirSync(binding, { recursive: true });
  cpSync(join(sqlite, SQLITE), join(binding, SQLITE));
  for (const { headers: nodeVersion, abi } of NODES) {
    const built = await cached(`${key}-abi${abi}-${nodeVersion}`, (work) =>
      buildAddon({ module, target, work, optimize, sqlite, nodeVersion }),
    );
    const folder = join(binding, `node-v${abi}-linux-${target.node}`);
    mkdirSync(folder);
    cpSync(join(built, 'better_sqlite3.node'), join(folder, 'better_sqlite3.node'));
  }
}

/** SQLite's own options, which stand in a file that is JSON but for quotes and comments. */
function sqliteDefines(module) {
  const text = readFileSync(join(module, 'deps', 'defines.gypi'), 'utf8');
  return [...text.matchAll(/'((?:SQLITE|HAVE)_[A-Z0-9_]+(?:=[^']*)?)'/g)].map(
    ([, define]) => `-D${define}`,
  );
}

async function compileSqlite({ module, target, work, optimize }) {
  const source = join(module, 'deps', 'sqlite3', 'sqlite3.c');
  const options = ['-std=c99', optimize, ...COMMON, ...sqliteDefines(module), '-c', source];
  const object = join(work, 'sqlite3.o');
  const library = join(work, SQLITE);
  await run(target.gcc, [...options, '-o', object]);
  await run(target.gcc, [...LINK, `-Wl,-soname=${SQLITE}`, object, '-lm', '-o', library]);
  await run(target.strip, ['--strip-unneeded', library]);
  rmSync(object);
}

async function buildAddon({ module, target, work, optimize, sqlite, nodeVersion }) {
  // Headers are the same for every architecture, so one package serves both.
  const headers = join(await nodePackage('x64', nodeVersion), 'include', 'node');
  const includes = [headers, join(module, 'deps', 'sqlite3')].map((folder) => `-I${folder}`);
  const source = join(module, 'src', 'better_sqlite3.cpp');
  const object = join(work, 'addon.o');
  const addon = join(work, 'better_sqlite3.node');
  await run(target.gxx, [optimize, ...COMMON, ...ADDON, ...includes, '-c', source, '-o', object]);
  const libraries = [join(sqlite, SQLITE), FIND, '-Wl,-soname=better_sqlite3.node'];
  await run(target.gxx, [...LINK, object, ...libraries, '-o', `${addon}.new`]);
  await run(target.strip, ['--strip-unneeded', `${addon}.new`]);
  renameSync(`${addon}.new`, addon);
}
