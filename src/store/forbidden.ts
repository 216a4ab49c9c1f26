import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ASK_AS_SERVICE, codedError } from '../errors.js';

/** For a state folder, or a file in it, that belongs to another user. */
export function forbiddenError(path: string, cause: unknown): Error {
  const owner = ownerOf(path) ?? ownerOf(dirname(path));
  return codedError('MND_STATE_FORBIDDEN', {
    subject: path,
    found: owner === null ? 'no permission' : `user number ${owner} owns it`,
    next: `${ASK_AS_SERVICE}; or name a folder of your own with MOBILENETD_STATE`,
    cause,
  });
}

function ownerOf(path: string): number | null {
  try {
    return statSync(path).uid;
  } catch {
    return null;
  }
}
