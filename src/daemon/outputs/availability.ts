import type { Context } from '../context.js';
import type { StopOutput } from './output.js';

/**
 * Connects: `<base>/state` becomes `online` once everything else has been said, and is `offline` (or
 * the broker's last will says so) when the connection ends.
 */
export function startAvailability({ messaging }: Pick<Context, 'messaging'>): StopOutput {
  messaging.publisher.start();
  return () => {};
}
