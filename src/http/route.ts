import type { ErrorCode } from '../errors.js';
import type { Admission } from './admission.js';
import type { PageSource } from './contract.js';
import type { LivePictures } from './live-pictures.js';
import type { Login, Role, Visitor } from './login.js';
import type { RawRequest } from './raw-request.js';
import type { Streams } from './stream.js';
import type { Turns } from './turns.js';

/** A JSON Schema (2020-12) as OpenAPI 3.1 takes it. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** What every handler may use. */
export interface Surroundings {
  readonly source: PageSource;
  readonly login: Login;
  readonly admission: Admission;
  /** Headers of every answer. */
  readonly headers: (raw: RawRequest) => Readonly<Record<string, string>>;
  readonly pictures: LivePictures;
  readonly streams: Streams;
}

export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>;
  /** Checked against the route's schema and coerced to its types. */
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Null on routes that anybody may ask. */
  readonly visitor: Visitor | null;
  /** Address of the one who asks, behind trusted proxies too. */
  readonly address: string;
  readonly signal: AbortSignal;
  readonly raw: RawRequest;
  /** For the parts of an answer that is made piece by piece. */
  readonly turns: Turns;
}

/** One row of the API: what is checked, what is answered, and what the document says of it. */
export interface Route {
  readonly method: 'get' | 'post';
  /** Relative to `/api/v1`, parameters in braces as OpenAPI writes them. */
  readonly path: string;
  readonly summary: string;
  /** Least role; null: anybody, also without a login. */
  readonly role: Role | null;
  readonly query?: JsonSchema;
  readonly body?: JsonSchema;
  /** Schema of a JSON answer, or the media type of another. */
  readonly answer: JsonSchema | 'image/jpeg' | 'text/csv' | 'text/event-stream';
  /** Its answer takes a while: such answers are made one after the other. */
  readonly isHeavy?: boolean;
  /** Errors it may answer with, besides those of every route. */
  readonly errors?: readonly ErrorCode[];
  handle(request: ApiRequest, around: Surroundings): Promise<Response | object> | Response | object;
}

const TEXT: JsonSchema = { type: 'string' };
export const NULLABLE_NUMBER: JsonSchema = { type: ['number', 'null'] };
export const NULLABLE_TEXT: JsonSchema = { type: ['string', 'null'] };

/** An object with these properties, all of them required, and possibly more. */
export function objectOf(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties) };
}

export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

/** A request's own object: nothing but these properties. */
export function bodyOf(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { ...objectOf(properties), additionalProperties: false };
}

export const DONE: JsonSchema = objectOf({ ok: { const: true } });
export const ERROR: JsonSchema = objectOf({ code: TEXT, message: TEXT });
export { TEXT };
