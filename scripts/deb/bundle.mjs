// Makes one program of a thousand files: the daemon and the modules it uses are joined, so that a start opens
// few files, and what nobody calls is not in memory. Names stay as they are: traces name functions as before.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

/** Modules that stay as they are: with machine code beside them, or loaded by their name while it runs. */
const APART = ['onnxruntime-node', 'sharp', 'better-sqlite3', 'node-libcamera', 'pino-pretty'];
/** Files that are started as threads and processes, each by its path. */
const STARTED = [
  'cli/main.js',
  'cli/pasted-worker.js',
  'inference/worker.js',
  'profile/child.js',
  'models/install/convert-child.js',
  'models/install/verify-child.js',
  'doctor/self-test-child.js',
  'camera/sources/libcamera/still-main.js',
];
/** What packages need only while npm installs them. */
const FOR_INSTALLING = ['prebuild-install', 'adm-zip', 'global-agent', '@types/node'];
const FOLDER = 'bundle';
const KEPT = /^(licen[cs]e|notice|copying|copyright|package\.json$)/i;

/** A module of ESM that calls for CommonJS needs `require`; each chunk gets its own. */
const BANNER = `import { createRequire as requireFrom } from 'node:module';
const require = requireFrom(import.meta.url);`;

/**
 * Replaces the JavaScript below `dist` by joined files in `dist/bundle`, with a line in the place of every
 * file that is started, and leaves of the joined modules their licenses.
 *
 * @param source the compiled program, beside modules
 * @param dist where its copy is that becomes the joined one
 * @param modules node_modules of the copy
 */
export async function bundle({ source, dist, modules }) {
  await build({
    absWorkingDir: dirname(source),
    entryPoints: STARTED.map((file) => ({ in: join(source, file), out: nameOf(file) })),
    outdir: join(dist, FOLDER),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.9',
    external: APART,
    // A linked node_modules goes by the place of the link: where a tree lies must not show in the result.
    preserveSymlinks: true,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'error',
    banner: { js: BANNER },
    plugins: [originalPlaces(source)],
  });
  removeJavaScript(dist);
  for (const file of STARTED) {
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    writeFileSync(join(dist, file), startOf(file));
  }
  leaveLicenses(modules, dependenciesOf(modules, APART));
}

/** Node says nothing of deprecated calls in node_modules; the joined modules would count as the program's own. */
function startOf(file) {
  return `process.noDeprecation = true;\nawait import('${up(file)}${FOLDER}/${nameOf(file)}.js');\n`;
}

/** `cli/main.js` → `cli-main`. */
function nameOf(file) {
  return file.replace(/\.js$/, '').replaceAll('/', '-');
}

function up(file) {
  return '../'.repeat(file.split('/').length - 1);
}

/** A joined file knows the places of the files it was made of: what they look for lies beside those. */
function originalPlaces(source) {
  return {
    name: 'original-places',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        const place = relative(source, path);
        if (place.startsWith('..')) return null;
        const text = readFileSync(path, 'utf8');
        const contents = text.replaceAll(
          'import.meta.url',
          `new URL(${JSON.stringify(`../${place}`)}, import.meta.url).href`,
        );
        return { contents, loader: 'js' };
      });
    },
  };
}

function removeJavaScript(dist) {
  for (const entry of readdirSync(dist, { withFileTypes: true, recursive: true })) {
    const folder = entry.parentPath ?? entry.path;
    const place = relative(dist, join(folder, entry.name));
    if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
    if (/^(bundle|web)\//.test(place)) continue;
    rmSync(join(dist, place));
  }
  removeEmpty(dist);
}

function removeEmpty(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    removeEmpty(join(folder, entry.name));
    if (readdirSync(join(folder, entry.name)).length === 0)
      rmSync(join(folder, entry.name), { recursive: true });
  }
}

/** Folders of the named packages and of all that they need, each as Node finds it from the other. */
function dependenciesOf(modules, names) {
  const found = new Set();
  const visit = (name, from) => {
    const place = placeOf(name, from, dirname(modules));
    if (place === null || found.has(place)) return;
    found.add(place);
    const { dependencies = {}, optionalDependencies = {} } = readManifest(place);
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (!FOR_INSTALLING.includes(next)) visit(next, place);
    }
  };
  for (const name of names) visit(name, dirname(modules));
  return found;
}

/** Where a package is for one in `from`; null when it is not installed, as those of other platforms. */
function placeOf(name, from, top) {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (readManifest(place) !== null) return place;
    if (folder === top) return null;
  }
}

function readManifest(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    // No package of that name is here.
    return null;
  }
}

/** Of every package that is not kept, only its name, version and license stay. */
function leaveLicenses(modules, kept) {
  for (const folder of packagesBelow(modules)) {
    if (kept.has(folder)) continue;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (KEPT.test(entry.name) || entry.name === 'node_modules') continue;
      rmSync(join(folder, entry.name), { recursive: true });
    }
  }
}

/** Every package, those inside of others as well. */
function packagesBelow(modules) {
  if (!existsSync(modules)) return [];
  return readdirSync(modules, { withFileTypes: true }).flatMap((entry) => {
    const folder = join(modules, entry.name);
    if (!entry.isDirectory()) return [];
    if (entry.name.startsWith('@')) return packagesBelow(folder);
    return [folder, ...packagesBelow(join(folder, 'node_modules'))];
  });
}
