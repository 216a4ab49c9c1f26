import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { ErrorCode } from '../errors.js';
import type { PageSource } from './contract.js';
import type { LivePictures } from './live-pictures.js';
import type { Login, Role, Visitor } from './login.js';

import type { Streams } from './stream.js';

/** A JSON Schema (2020-12) as OpenAPI 3.1 takes it. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** A request as Node and hono have it. */
export type RawRequest = Context<{ Bindings: HttpBindings }>;

/** The session's cookie, which is of the path that the browser sees. */
export interface SessionCookies {
  get(raw: RawRequest): string | null;
  /** Values of a Set-Cookie header. */
  set(raw: RawRequest, session: string): string;
  clear(raw: RawRequest): string;
}

/** What every handler may use. */
export interface Surroundings {
  readonly source: PageSource;
  readonly login: Login;
  readonly cookies: SessionCookies;
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
  /** Errors it may answer with, besides those of every route. */
  readonly errors?: readonly ErrorCode[];
  handle(request: ApiRequest, around: Surroundings): Promise<Response | object> | Response | object;
}

/** Bytes a body may have, unless its route says otherwise. */
export const MAX_BODY = 64 * 1024;

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
