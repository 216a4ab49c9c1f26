import { readFile, stat } from 'node:fs/promises';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { codedError, type ErrorCode, messageOf } from '../errors.js';

const MAX_BYTES = 4 * 1024 * 1024;

/** How schemas are read; tests hold them against the meta-schema with these. */
export const SCHEMA_DIALECT = {
  allErrors: false,
  discriminator: true,
  allowUnionTypes: true,
} as const;

/**
 * A schema that is compiled when a file is first held against it: many processes load this and read none. The
 * caller says of which type valid data is. Each runs a few times in a process, so half of the time is saved by
 * taking the schema as valid and its code as it comes. The code of one (half a megabyte for a network) is not
 * kept: the garbage collector may have it between two files.
 */
export function compileSchema<T>(schema: object): () => ValidateFunction<T> {
  let compiled: WeakRef<ValidateFunction<T>> | undefined;
  return () => {
    const known = compiled?.deref();
    if (known !== undefined) return known;
    const made = new Ajv({
      ...SCHEMA_DIALECT,
      meta: false,
      validateSchema: false,
      code: { optimize: false },
    }).compile<T>(schema);
    compiled = new WeakRef(made);
    return made;
  };
}

/**
 * Reads a JSON file and holds it against a schema.
 *
 * @param code of the error of whatever is wrong with the file; its message names the place
 */
export async function readJsonFile<T>(
  file: string,
  options: {
    readonly validate: () => ValidateFunction<T>;
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
