import { type Signal, signal } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';

type Value = string | number | boolean;

/** By then the daemon has told what is in force, ms. */
const TOLD_MS = 2500;

/** What somebody is about to set, and how a field is kept at it. */
export interface Draft<T extends Value> {
  /** What the field shows: the draft, or else what is in force. */
  readonly shown: T | string;
  /** Keeps what is typed, dragged or chosen. */
  readonly keep: (value: T | string) => void;
  /** Shows what is in force again. */
  readonly drop: () => void;
  /** Follows what is in force when this is done, unless something else has been typed by then. */
  readonly settle: (setting: Promise<unknown>) => void;
}

/**
 * A field of a value that the daemon tells every second: what is typed, dragged or chosen stays until it is in
 * force or refused, and is not overwritten meanwhile.
 */
export function useDraft<T extends Value>(inForce: T): Draft<T> {
  const [draft, setDraft] = useState<T | string | null>(null);
  const round = useRef(0);
  const drop = () => setDraft(null);
  return {
    shown: draft ?? inForce,
    keep(value) {
      round.current += 1;
      setDraft(value);
    },
    drop,
    settle(setting) {
      const mine = round.current;
      const end = () => mine === round.current && drop();
      setting.then(() => setTimeout(end, TOLD_MS), end);
    },
  };
}

const kept = new Map<string, Signal<unknown>>();

/**
 * What somebody has typed, chosen or drawn and has not sent: it outlives ticks, another tab of the page and a
 * login that has run out.
 */
export function useKept<T>(name: string, first: T): [T, (value: T) => void] {
  const known = kept.get(name) ?? signal<unknown>(first);
  kept.set(name, known);
  return [
    known.value as T,
    (value) => {
      known.value = value;
    },
  ];
}

/** Of somebody who has logged out: the next one is another. */
export function forgetKept(): void {
  kept.clear();
}
