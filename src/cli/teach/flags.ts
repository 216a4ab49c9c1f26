import { codedError } from '../../errors.js';

/** Options of `mobilenetd teach`. */
export interface TeachFlags {
  readonly from?: string;
  readonly camera?: string;
  /** Seconds. */
  readonly for: number;
  readonly zone?: string;
  readonly of?: readonly string[];
  readonly not: boolean;
  readonly report?: true;
  readonly list?: true;
  readonly undo?: true;
  readonly drop?: string;
  readonly forget?: true;
  readonly export?: string;
  readonly import?: string;
  readonly json: boolean;
}

/** Seconds that a recording may last. */
const LONGEST_S = 600;

/** Parser of a length of time, `20s`, `2m` or seconds. Throws MND_USAGE. */
export function secondsOption(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(s|m)?$/.exec(text.trim()) ?? [];
  const seconds = Number(amount) * (unit === 'm' ? 60 : 1);
  if (seconds >= 1 && seconds <= LONGEST_S) return seconds;
  throw codedError('MND_USAGE', {
    subject: '--for',
    expected: 'a time from 1s to 10m',
    found: JSON.stringify(text),
  });
}
