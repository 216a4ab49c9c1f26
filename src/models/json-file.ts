import { readFile, stat } from 'node:fs/promises';
import type { ErrorObject } from 'ajv';
import type { SchemaCheck } from '../built-check.js';
import { codedError, type ErrorCode, messageOf } from '../errors.js';

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Reads a JSON file and holds it against a schema.
 *
 * @param code of the error of whatever is wrong with the file; its message names the place
 */
export async function readJsonFile<T>(
  file: string,
  options: {
    readonly validate: () => SchemaCheck<T>;
    readonly code: ErrorCode;
    readonly next?: string;
  },
): Promise<T> {
  const { code, next } = options;
  const validate = options.validate();
  const fail = (found: string, expected?: string) =>
    codedError(code, {
      subject: file,
      expected,
      found,
      next,
    });
  let data: unknown;
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw fail(`${size} bytes`, `at most ${MAX_BYTES} bytes`);
    data = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw fail(messageOf(error), 'a readable JSON file');
  }
  if (!validate(data)) throw fail(describeErrors(validate.errors ?? []));
  return data;
}

/** The first problem of a validation, with its place as a JSON pointer. */
function describeErrors(errors: readonly ErrorObject[]): string {
  const [error] = errors;
  if (error === undefined) return 'data that does not fit its schema';
  const place = error.instancePath === '' ? '/' : error.instancePath;
  const name: unknown = error.params.additionalProperty;
  return `${place} ${error.message ?? 'is invalid'}${typeof name === 'string' ? ` ("${name}")` : ''}`;
}
