import { inputFailed } from '../../input-file.js';
import { readSmallText } from '../../small-file.js';

const MAX_BYTES = 64 * 1024;

/** First line of a file, or of `-`, standard input. @throws MND_INPUT_MISSING */
export function readSecret(file: string): string {
  try {
    const text = readSmallText(file === '-' ? '/dev/stdin' : file, MAX_BYTES);
    return text.split(/\r?\n/, 1)[0] ?? '';
  } catch (cause) {
    throw inputFailed(file, 'a file whose first line is the secret', cause);
  }
}
