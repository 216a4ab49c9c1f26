import type { Variant } from '../models/variant.js';
import type { Inputs } from './sample.js';

/** What is known of the board's heat at one moment; null for what cannot be read. */
export interface HeatReading {
  readonly tempC: number | null;
  readonly flags: number | null;
  /** Busy fraction of the whole CPU, 0 to 1. */
  readonly cpuUtil: number | null;
  /** What else the governor can use; goes into its sample as it is. */
  readonly inputs?: Partial<Inputs>;
}

export interface Thermometer {
  /** Simulated seconds for each second; 1 for a real board. */
  readonly speed: number;
  /** Name of the board, when it is a simulated one. */
  readonly simulated: string | null;
  /** What the weather around a simulated board is, in words. */
  readonly weather?: () => string;
  /** Wall time of one frame on a simulated board, ms; null where it must be measured. */
  costMs(variant: Variant): number | null;
  /** @param busy fraction of the time since the last call that went into inference, 0 to 1 */
  read(dtS: number, busy: number): Promise<HeatReading>;
}
