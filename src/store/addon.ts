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
