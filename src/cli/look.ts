import type { Signals } from '../daemon/signals.js';
import type { PresenceEvent } from '../presence/event.js';
import { systemClock } from '../time.js';

/** What a short look is to see, and how long it lasts. */
export interface LookLimits {
  /** Seconds from the first labelled frame; as many are waited for that one. */
  readonly for: number;
  /** Ends it once so many events have begun. */
  readonly enough?: number;
}

/** Everything that a short run of the daemon has seen. */
export class Look {
  /** Frames that were labelled. */
  frames = 0;
  /** Seconds from the start of the process to the first labelled frame; null: there was none. */
  firstLabelS: number | null = null;
  readonly #events = new Map<string, PresenceEvent>();
  #onChange: () => void = () => {};

  constructor(signals: Signals) {
    signals.on('labelled', () => {
      this.frames += 1;
      this.firstLabelS ??= Math.round(systemClock.now()) / 1000;
      this.#onChange();
    });
    signals.on('events', ({ events }) => {
      for (const event of events) this.#events.set(event.id, event);
      this.#onChange();
    });
  }

  /** Every event as it was told last, in the order in which they began. */
  get events(): readonly PresenceEvent[] {
    return [...this.#events.values()];
  }

  /** How many events there were of each label. */
  labels(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { label } of this.events) counts[label] = (counts[label] ?? 0) + 1;
    return counts;
  }

  /** Resolves when the look is over; at once when the signal is aborted. */
  until(limits: LookLimits, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const ms = limits.for * 1000;
      let hasBegun = this.frames > 0;
      let cancel = systemClock.setTimer(end, ms);
      const onChange = () => {
        if (!hasBegun && this.frames > 0) {
          hasBegun = true;
          cancel();
          cancel = systemClock.setTimer(end, ms);
        }
        if (limits.enough !== undefined && this.#events.size >= limits.enough) end();
      };
      this.#onChange = onChange;
      signal.addEventListener('abort', end);
      function end() {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      }
      if (signal.aborted) end();
      else onChange();
    });
  }
}
