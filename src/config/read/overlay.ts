import { join } from 'node:path';
import { codedError } from '../../errors.js';
import type { BoardName } from '../config.js';
import { MAX_FILE_BYTES, parseConfigFile } from './file.js';
import type { Layer } from './layer.js';

/**
 * Reads the overlay of a board, its own defaults: `config/<board>.yaml`. Throws MND_INTERNAL: the file
 * is shipped with the program.
 */
export function readOverlay(
  board: { readonly name: BoardName; readonly model: string | null },
  packageRoot: string,
  readFile: (file: string, limit: number) => Buffer,
): Layer {
  const file = `config/${board.name}.yaml`;
  let text: string;
  try {
    text = readFile(join(packageRoot, file), MAX_FILE_BYTES).toString('utf8');
  } catch (cause) {
    throw codedError('MND_INTERNAL', {
      subject: file,
      found: 'an overlay that cannot be read',
      next: 'install the program again, or set board: none',
      cause,
    });
  }
  const { values, lineOf, problems } = parseConfigFile(file, text);
  const [problem] = problems;
  if (problem !== undefined) {
    throw codedError('MND_INTERNAL', { subject: problem.where, found: problem.message });
  }
  const why = board.model === null ? '' : ` for ${board.model}`;
  return {
    values,
    originOf: (path) => `${file}:${lineOf(path)}${why}`,
    replaces: false,
    resolvePath: (path) => path,
  };
}
