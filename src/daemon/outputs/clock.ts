import type { Context } from '../context.js';
import type { StopOutput } from './output.js';

/** When the machine's clock was set, what is present is told again with the times it should have had. */
export function startClock(context: Pick<Context, 'store' | 'line' | 'cameras'>): StopOutput {
  const { store, line } = context;
  return store.onClockSet((ms) => line.recorder.moveTimes(context.cameras.list(), ms));
}
