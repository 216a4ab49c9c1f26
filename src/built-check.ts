import { createRequire } from 'node:module';
import type { ErrorObject } from 'ajv';

/** How schemas are read; tests hold them against the meta-schema with these. */
export const SCHEMA_DIALECT = {
  allErrors: false,
  discriminator: true,
  allowUnionTypes: true,
} as const;

/** Holds data against a schema; `errors` are those of the last call. */
export interface SchemaCheck<T> {
  (data: unknown): data is T;
  readonly errors?: readonly ErrorObject[] | null;
}

/** Files of scripts/build-checks.mjs, which has the schema of each. */
type CheckFile = 'catalog' | 'installed' | 'ladder' | 'pins' | 'requests';

const load = createRequire(import.meta.url);

/**
 * A check that was compiled when the program was built, as Ajv compiles it: doing so here would take longer than
 * all else of a short command. Loaded when it is first asked for; the caller says of which type valid data is.
 */
export function builtCheck<T>(file: CheckFile, name = 'check'): () => SchemaCheck<T> {
  return () =>
    (load(`./checks/${file}.cjs`) as Record<string, SchemaCheck<T>>)[name] ?? missing(name);
}

function missing(name: string): never {
  throw new Error(`no check "${name}" was built`);
}
