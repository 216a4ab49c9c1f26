import type { ConfigProblem } from '../check/problem.js';
import { textOf } from './bytes.js';

const MAX_SECRET_BYTES = 65_535;

/** How files with secrets are read, and where keys were written. */
export interface CredentialOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly readFile: (file: string, limit: number) => Buffer;
  readonly originOf: (dotted: string) => string;
  readonly faulty: ReadonlySet<string>;
}

/** A file that holds a secret. */
export interface SecretSource {
  /** Dotted key that names the file. */
  readonly key: string;
  readonly file: string;
  readonly origin: string;
  /** Told when it does not exist, or is empty. */
  readonly required: boolean;
}

/** The one line of a file; null, with a problem, where there is none. */
export function readSecret(
  source: SecretSource,
  options: CredentialOptions,
  problems: ConfigProblem[],
): string | null {
  const fail = (message: string) => {
    const { origin: where, key } = source;
    problems.push({ where, key, message: `${source.file}: ${message}` });
    return null;
  };
  let bytes: Buffer;
  try {
    bytes = options.readFile(source.file, MAX_SECRET_BYTES + 1);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return !source.required && code === 'ENOENT' ? null : fail(`cannot be read (${code})`);
  }
  if (bytes.length > MAX_SECRET_BYTES) return fail('expected one line, found a large file');
  // What an editor leaves at the end of a line is no part of a password.
  const text = textOf(bytes)?.trimEnd();
  if (text === undefined) return fail('expected one line, found bytes that are not UTF-8 text');
  // The unit gives an empty line where no credential was stored.
  if (text === '' && !source.required) return null;
  if (text === '') return fail('expected one line, found an empty file');
  return text.includes('\n') ? fail('expected one line, found several') : text;
}
