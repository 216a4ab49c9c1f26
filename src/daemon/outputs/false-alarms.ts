import { every } from '../../time.js';
import type { Context } from '../context.js';
import type { StopOutput } from './output.js';

/** What is kept back is counted so often, ms. */
const COUNT_MS = 20_000;

/** Keeps false alarms back that somebody has reported, and counts them. */
export function startFalseAlarms({
  clock,
  signals,
  spots,
}: Pick<Context, 'clock' | 'signals' | 'spots'>): StopOutput {
  spots.apply();
  const stop = signals.on('cameras', () => spots.apply());
  const stopCounting = every(clock, COUNT_MS, () => spots.count());
  return () => {
    stop();
    stopCounting();
    spots.count();
  };
}
