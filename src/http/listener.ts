import { getRequestListener } from '@hono/node-server';
import { type AppOptions, createApp } from './app.js';

/** Answers requests of Node's server. Loads every route: see server.ts for when. */
export function createListener(options: AppOptions): ReturnType<typeof getRequestListener> {
  return getRequestListener(createApp(options).fetch, { overrideGlobalObjects: false });
}
