import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';

/** A request as Node and hono have it. */
export type RawRequest = Context<{ Bindings: HttpBindings }>;

/** The session's cookie, which is of the path that the browser sees. */
export interface SessionCookies {
  get(raw: RawRequest): string | null;
  /** Values of a Set-Cookie header. */
  set(raw: RawRequest, session: string): string;
  clear(raw: RawRequest): string;
}
