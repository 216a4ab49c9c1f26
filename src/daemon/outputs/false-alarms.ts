import type { Context } from '../context.js';
import type { StopOutput } from './output.js';

/** What is kept back is counted so often, ms. */
const COUNT_MS = 20_000;

/** Keeps false alarms back that somebody has reported, and counts them. */
export function startFalseAlarms({
  signals,
  spots,
}: Pick<Context, 'signals' | 'spots'>): StopOutput {
  spots.apply();
  const stop = signals.on('cameras', () => spots.apply());
  const timer = setInterval(() => spots.count(), COUNT_MS).unref();
  return () => {
    stop();
    clearInterval(timer);
    spots.count();
  };
}
