import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { codedError } from '../errors.js';
import type { JsonSchema, Route } from './route.js';

/** ISO 8601 with a zone, as the answers have it, or a date and time of the machine. */
const DATE_TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** What of a route's request is checked. */
export interface Validator {
  query(values: Record<string, string>): Promise<Record<string, unknown>>;
  body(value: unknown): Promise<Record<string, unknown>>;
}

/**
 * Checks by the schemas of a route. The checker is loaded and they are compiled when the first request needs
 * them: a page at which nobody looks takes little memory.
 */
export function validatorOf({ query, body }: Route): Validator {
  const queryCheck =
    query === undefined ? null : lazily(async () => (await ajv(true)).compile(strict(query)));
  const bodyCheck =
    body === undefined ? null : lazily(async () => (await ajv(false)).compile(body));
  return {
    async query(values) {
      return queryCheck === null ? {} : checked(await queryCheck(), { ...values }, 'query');
    },
    async body(value) {
      if (bodyCheck === null) return {};
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        const found = Array.isArray(value) ? 'an array' : value === null ? 'null' : typeof value;
        throw invalid('the body', 'a JSON object', found);
      }
      return checked(await bodyCheck(), { ...value }, 'body');
    },
  };
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** @param isText whether values come as text and are coerced, as in a query */
async function ajv(isText: boolean): Promise<Ajv2020> {
  // By its default export: joined into one file, a CommonJS module has no names of its own.
  const { Ajv2020 } = (await import('ajv/dist/2020.js')).default;
  const made = new Ajv2020({
    strict: false,
    useDefaults: true,
    allErrors: false,
    ...(isText && { coerceTypes: true }),
  });
  made.addFormat(
    'date-time',
    (text: string) => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)),
  );
  return made;
}

/** A parameter that nobody knows would be dropped without a word. */
function strict(schema: JsonSchema): JsonSchema {
  return { ...schema, additionalProperties: false };
}

function checked(
  validate: ValidateFunction,
  value: Record<string, unknown>,
  where: string,
): Record<string, unknown> {
  if (validate(value)) return value;
  const [error] = validate.errors ?? [];
  throw invalid(where, wanted(error), 'something else');
}

function wanted(error: ErrorObject | undefined): string {
  if (error === undefined) return 'what the API document says';
  const { instancePath, message = '', params } = error;
  const detail =
    'additionalProperty' in params ? ` (${String(params.additionalProperty).slice(0, 64)})` : '';
  const allowed = 'allowedValues' in params ? `: ${params.allowedValues.join(', ')}` : '';
  return `${instancePath.slice(1).slice(0, 64) || 'an object that'} ${message}${detail}${allowed}`;
}

function invalid(subject: string, expected: string, found: string): Error {
  return codedError('MND_HTTP_REQUEST', { subject, expected, found });
}
