import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { codedError, messageOf } from '../errors.js';

/**
 * The coded error for a better-sqlite3 that does not fit this Node (its addon is made for one ABI);
 * null for other errors.
 */
export function addonError(error: unknown, node: NodeJS.ProcessVersions = process.versions) {
  const found = messageOf(error);
  const code = error instanceof Error && 'code' in error ? error.code : null;
  const missing = found.startsWith('Could not locate the bindings file');
  if (!missing && code !== 'ERR_DLOPEN_FAILED') return null;
  return codedError('MND_STORE_ADDON', {
    subject: 'better-sqlite3',
    expected: 'an addon that was built for this Node',
    found: `none for Node ${node.node} (ABI ${node.modules})`,
    next: 'use Node 20, 22 or 24, or run `npm rebuild better-sqlite3` where mobilenetd is installed',
    cause: error,
  });
}

/** Only an addon whose objects are wrapped as headers of Node 24.19 and later do it asks for this by name. */
const FATAL_SYMBOL = 'RemoveEnvironmentCleanupHook';
/** As `bindings` looks for it: what was compiled or fetched here, then what a package has for each Node. */
const places = ({ modules }: NodeJS.ProcessVersions): readonly string[] => [
  'build/Release',
  `lib/binding/node-v${modules}-${process.platform}-${process.arch}`,
];

/** Where one was found to be sound. */
let sound: string | null = null;

/**
 * Refuses an addon that was compiled with the headers of Node 24.19 or newer: when the garbage collector
 * frees one of its objects, Node ends the process (`node::RemoveEnvironmentCleanupHook … (env) != nullptr`).
 *
 * @param folder of better-sqlite3
 * @throws MND_STORE_ADDON
 */
export function requireSoundAddon(folder = installedFolder(), node = process.versions): void {
  if (folder === null || folder === sound) return;
  const file = places(node)
    .map((place) => join(folder, place, 'better_sqlite3.node'))
    .find((each) => existsSync(each));
  if (file === undefined) return;
  if (!readFileSync(file).includes(FATAL_SYMBOL)) {
    sound = folder;
    return;
  }
  throw codedError('MND_STORE_ADDON', {
    subject: file,
    expected: 'an addon that outlives a garbage collection',
    found:
      'one that was compiled with the headers of Node 24.19 or newer, which ends the process there',
    next: 'use Node 22, or compile it with older headers where mobilenetd is installed: npm_config_target=24.18.0 npm rebuild better-sqlite3 --build-from-source',
  });
}

function installedFolder(): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'));
  } catch {
    // Opening a database says what is missing.
    return null;
  }
}
