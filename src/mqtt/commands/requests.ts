import { builtCheck } from '../../built-check.js';

export const VERBS = ['snapshot', 'reload', 'restart', 'health', 'wrong', 'teach'] as const;

export type Verb = (typeof VERBS)[number];

/** Characters of a transaction, which the answer repeats. */
export const MAX_TRANSACTION = 128;

const TRANSACTION = { type: 'string', minLength: 1, maxLength: MAX_TRANSACTION } as const;

function requestSchema(properties: object): object {
  return {
    type: 'object',
    properties: { transaction: TRANSACTION, ...properties },
    required: ['transaction'],
    additionalProperties: false,
  };
}

/**
 * JSON Schemas (draft 7) of the payloads of `<base>/request/<verb>`; docs/schema has the same. Compiled by
 * scripts/build-checks.mjs.
 */
export const REQUEST_SCHEMAS: Readonly<Record<Verb, object>> = {
  snapshot: requestSchema({
    camera: { type: 'string', minLength: 1, maxLength: 64 },
  }),
  reload: requestSchema({}),
  restart: requestSchema({}),
  health: requestSchema({}),
  wrong: requestSchema({
    event: { type: 'string', minLength: 4, maxLength: 64 },
    undo: { type: 'string', minLength: 1, maxLength: 16 },
  }),
  teach: {
    ...requestSchema({
      do: { enum: ['list', 'report', 'record', 'end', 'undo', 'forget'] },
      label: { type: 'string', minLength: 1, maxLength: 60 },
      not: { type: 'boolean' },
      camera: { type: 'string', minLength: 1, maxLength: 64 },
      zone: { type: 'string', minLength: 1, maxLength: 64 },
      of: { type: 'array', items: { type: 'string', minLength: 1, maxLength: 60 }, maxItems: 20 },
      seconds: { type: 'number', minimum: 1, maximum: 600 },
      id: { type: 'string', minLength: 1, maxLength: 16 },
    }),
    required: ['transaction', 'do'],
  },
};

/** A request as its schema has it. */
export interface Request {
  readonly transaction: string;
  /** Of a snapshot; every camera when it is left out. */
  readonly camera?: string;
  /** Of `wrong`: the event, or the spot to forget; neither: all spots are listed. */
  readonly event?: string;
  readonly undo?: string;
  /** Of `teach`. */
  readonly do?: TeachAsked['do'];
  readonly label?: string;
  readonly not?: boolean;
  readonly zone?: string;
  readonly of?: readonly string[];
  readonly seconds?: number;
  readonly id?: string;
}

/** What is asked of teaching. */
export interface TeachAsked {
  readonly do: 'list' | 'report' | 'record' | 'end' | 'undo' | 'forget';
  readonly label?: string;
  readonly not?: boolean;
  readonly camera?: string;
  readonly zone?: string;
  readonly of?: readonly string[];
  readonly seconds?: number;
  readonly id?: string;
}

/** The request, or what is wrong with it. */
export function parseRequest(verb: Verb, value: unknown): Request | { readonly fault: string } {
  const validate = builtCheck<Request>('requests', verb)();
  if (validate(value)) return value;
  const [error] = validate.errors ?? [];
  return { fault: `${error?.instancePath || 'the request'} ${error?.message ?? 'is not valid'}` };
}

export function isVerb(text: string): text is Verb {
  return VERBS.some((verb) => verb === text);
}

/** The transaction of a payload that may be no valid request, even no JSON; null if there is none. */
export function transactionIn(text: string): string | null {
  const match = /"transaction"\s*:\s*("(?:[^"\\\p{Cc}]|\\.)*")/u.exec(text);
  try {
    const value: unknown = match?.[1] === undefined ? null : JSON.parse(match[1]);
    const fits = typeof value === 'string' && value !== '' && value.length <= MAX_TRANSACTION;
    return fits ? value : null;
  } catch {
    return null;
  }
}
