import type { Context } from '../context.js';
import type { StopOutput } from './output.js';

/** When the machine's clock was set, what is and was there is told again with the times it should have had. */
export function startClock(
  context: Pick<Context, 'store' | 'line' | 'cameras' | 'messaging'>,
): StopOutput {
  const { store, line } = context;
  return store.onClockSet((ms) => {
    context.messaging.publisher.shiftTimes(ms);
    for (const camera of context.cameras.list()) camera.notices.shift(ms);
    line.recorder.moveTimes(context.cameras.list(), ms);
  });
}
