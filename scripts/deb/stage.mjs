// Lays out what a package installs.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { bundle } from './bundle.mjs';
import { cached } from './cache.mjs';
import { stageDocuments } from './documents.mjs';
import { stageNode, withNodeLicense } from './node.mjs';
import { addAddons } from './sqlite-addon.mjs';

/** The program's own folder below the root of the package. */
export const PROGRAM = 'usr/lib/mobilenetd';
/** What a program at work has no use for: types, source maps, documentation, sources of addons. */
const UNUSED =
  /(^\..*|\.d\.[cm]?ts|\.[cm]?ts|\.map|\.md|\.markdown|\.html|\.sh|\.gypi?|\.c|\.cc|\.cpp|\.h|\.hpp)$/i;
const KEPT = /(licen[cs]e|notice|copying|copyright)/i;
/** What the lock file has in the place of packages that download GPU libraries and make the database's addon. */
const STAND_INS = ['scripts/cpu-only', 'scripts/addon-build.tgz'];
/** Folders of packages that only their authors read. */
const UNUSED_FOLDERS = /^(\..*|tests?|spec|bench(mark)?s?|examples?|docs|coverage)$/;

/** A folder with package.json and the pruned production dependencies of another machine. */
function modulesOf(root, target, fast) {
  const recipe = [
    ...['package.json', 'package-lock.json', 'scripts/deb/stage.mjs'],
    ...['scripts/deb/sqlite-addon.mjs', 'scripts/deb/cache.mjs'],
  ].map((file) => readFileSync(join(root, file)));
  const key = createHash('sha256').update(Buffer.concat(recipe)).digest('hex').slice(0, 16);
  return cached(`modules/${target.node}-${key}${fast ? '-fast' : ''}`, async (work) => {
    installModules(root, work, target);
    const modules = join(work, 'node_modules');
    keepOneRuntime(modules, target);
    await addAddons(join(modules, 'better-sqlite3'), target, fast);
    prune(modules);
    for (const folder of ['deps', 'src']) {
      rmSync(join(modules, 'better-sqlite3', folder), { recursive: true, force: true });
    }
  });
}

/** node_modules of the production dependencies for a machine, for running them outside a package. */
export async function runtimeOf(root, target, fast = false) {
  return join(await modulesOf(root, target, fast), 'node_modules');
}

/** Installs production dependencies for another machine; nothing of them is run. */
function installModules(root, folder, target) {
  for (const file of ['package.json', 'package-lock.json', '.npmrc', ...STAND_INS]) {
    cpSync(join(root, file), join(folder, file), { recursive: true });
  }
  const machine = [`--cpu=${target.node}`, '--os=linux', '--libc=glibc'];
  execFileSync(
    'npm',
    ['ci', '--omit=dev', '--ignore-scripts', ...machine, '--no-audit', '--no-fund', '--silent'],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const unused = ['package-lock.json', '.npmrc', 'node_modules/.package-lock.json'];
  // Only onnxruntime-node's postinstall would load it.
  unused.push('node_modules/global-agent', 'scripts');
  for (const file of unused) rmSync(join(folder, file), { recursive: true, force: true });
}

/** Keeps one platform of onnxruntime-node, which brings all of them (288 MB). */
function keepOneRuntime(modules, target) {
  const platforms = join(modules, 'onnxruntime-node', 'bin', 'napi-v6');
  for (const platform of readdirSync(platforms)) {
    for (const arch of readdirSync(join(platforms, platform))) {
      if (platform === 'linux' && arch === target.node) continue;
      rmSync(join(platforms, platform, arch), { recursive: true });
    }
    if (platform !== 'linux') rmSync(join(platforms, platform), { recursive: true });
  }
}

function prune(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (UNUSED_FOLDERS.test(entry.name) && !isPackage(path)) rmSync(path, { recursive: true });
      else prune(path);
    } else if (UNUSED.test(entry.name) && !KEPT.test(entry.name)) {
      rmSync(path);
    }
  }
}

/** A package may be called `docs` itself. */
function isPackage(path) {
  return existsSync(join(path, 'package.json'));
}

/** Every file below a folder, links left out. */
export function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

export function isElf(file) {
  return (
    ['.node', '.so'].some((suffix) => file.includes(suffix)) &&
    readFileSync(file).subarray(0, 4).toString('latin1') === '\x7fELF'
  );
}

function isScript(file) {
  return readFileSync(file).subarray(0, 2).toString('latin1') === '#!';
}

function install(source, destination, mode = 0o644) {
  mkdirSync(dirname(destination), { recursive: true });
  cpSync(source, destination);
  chmodSync(destination, mode);
}

/** Fills `tree` with all files of the package but its control files. */
export async function stage({ root, tree, target, debVersion, date, fast }) {
  const program = join(tree, PROGRAM);
  cpSync(await modulesOf(root, target, fast), program, { recursive: true });
  for (const folder of ['dist', 'config', 'models', 'assets']) {
    cpSync(join(root, folder), join(program, folder), {
      recursive: true,
      filter: (path) => !/\.(d\.ts|map|tsbuildinfo)$/.test(path),
    });
  }
  await bundle({
    source: join(root, 'dist'),
    dist: join(program, 'dist'),
    modules: join(program, 'node_modules'),
  });
  const { commitOf } = await import(pathToFileURL(join(root, 'dist/cli/commit.js')));
  writeFileSync(join(program, 'dist/commit'), `${commitOf(root) ?? ''}\n`);
  stageCompletion(root, tree);
  install(join(root, 'packaging/deb/launcher'), join(tree, 'usr/bin/mobilenetd'));
  const carried = await stageNode({ program, target });

  install(
    join(root, 'systemd/mobilenetd.service'),
    join(tree, 'lib/systemd/system/mobilenetd.service'),
  );
  install(join(root, 'systemd/sysusers.conf'), join(tree, 'usr/lib/sysusers.d/mobilenetd.conf'));
  install(join(root, 'systemd/tmpfiles.conf'), join(tree, 'usr/lib/tmpfiles.d/mobilenetd.conf'));
  const overrides = join(root, 'packaging/deb/lintian-overrides');
  install(overrides, join(tree, 'usr/share/lintian/overrides/mobilenetd'));
  stageDocs({ root, tree, debVersion, date, nodeLicense: carried.license });

  for (const file of filesBelow(tree)) {
    if (isElf(file)) execFileSync(target.strip, ['--strip-unneeded', file]);
    chmodSync(file, file === carried.file || isScript(file) ? 0o755 : 0o644);
  }
  for (const folder of foldersBelow(tree)) chmodSync(folder, 0o755);
}

function stageCompletion(root, tree) {
  const places = {
    bash: 'usr/share/bash-completion/completions/mobilenetd',
    zsh: 'usr/share/zsh/vendor-completions/_mobilenetd',
  };
  for (const [shell, place] of Object.entries(places)) {
    const main = join(root, 'dist/cli/main.js');
    mkdirSync(dirname(join(tree, place)), { recursive: true });
    writeFileSync(join(tree, place), execFileSync(process.execPath, [main, 'completion', shell]));
  }
}

function stageDocs({ root, tree, debVersion, date, nodeLicense }) {
  const docs = stageDocuments({ root, tree, program: PROGRAM });
  writeFileSync(
    join(docs, 'copyright'),
    withNodeLicense(readFileSync(join(root, 'packaging/deb/copyright'), 'utf8'), nodeLicense),
  );
  const entry = [
    `mobilenetd (${debVersion}) stable; urgency=medium`,
    '',
    '  * See changelog.gz.',
    '',
    ` -- ${MAINTAINER}  ${rfc2822(date)}`,
    '',
  ].join('\n');
  writeFileSync(join(docs, 'changelog.Debian.gz'), gzipSync(entry, { level: 9 }));
  const changes = readFileSync(join(root, 'CHANGELOG.md'));
  writeFileSync(join(docs, 'changelog.gz'), gzipSync(changes, { level: 9 }));
  const manual = readFileSync(join(root, 'packaging/deb/mobilenetd.1'));
  mkdirSync(join(tree, 'usr/share/man/man1'), { recursive: true });
  writeFileSync(join(tree, 'usr/share/man/man1/mobilenetd.1.gz'), gzipSync(manual, { level: 9 }));
}

const { DEBFULLNAME = 'The mobilenetd authors', DEBEMAIL = 'mobilenetd@localhost.localdomain' } =
  process.env;
export const MAINTAINER = `${DEBFULLNAME} <${DEBEMAIL}>`;

function rfc2822(date) {
  return date.toUTCString().replace('GMT', '+0000');
}

function foldersBelow(folder) {
  const below = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return [folder, ...below];
}

/** Bytes on disk, counted as dpkg does: each file in whole kilobytes, each folder as one. */
export function installedKilobytes(tree) {
  const files = filesBelow(tree).reduce(
    (sum, file) => sum + Math.ceil(statSync(file).size / 1024),
    0,
  );
  return files + foldersBelow(tree).length;
}
