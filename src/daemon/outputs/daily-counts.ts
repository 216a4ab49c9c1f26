import type { Publisher } from '../../mqtt/publish/publisher.js';
import type { Store } from '../../store/store.js';
import { backgroundClock, type Clock } from '../../time.js';
import type { Context } from '../context.js';
import type { CameraView, Signals } from '../signals.js';
import type { StopOutput } from './output.js';

/** A burst of events is counted once in so long. */
const GATHER_MS = 1000;
/** The machine's clock may be set, or change to summer time: the day is looked at this often. */
const LOOK_MS = 60_000;

export interface DailyCountsOptions {
  readonly signals: Signals;
  readonly store: Pick<Store, 'countEvents' | 'onClockSet'>;
  readonly publisher: () => Pick<Publisher, 'setLabel'>;
  readonly clock?: Clock;
  /** When the local day began in which a time lies, ms; default: by the machine's time zone. */
  readonly dayOf?: (time: number) => number;
}

/** Publishes how many events of each label have begun at each camera since local midnight. */
export function startDailyCounts(
  context: Pick<Context, 'signals' | 'store' | 'messaging'>,
): StopOutput {
  const { signals, store, messaging } = context;
  const counts = new DailyCounts({ signals, store, publisher: () => messaging.publisher });
  return () => counts.stop();
}

/** Counts what the database has: a restart, a clock that is set or a short night lose nothing. */
export class DailyCounts {
  readonly #options: DailyCountsOptions;
  readonly #clock: Clock;
  readonly #dayOf: (time: number) => number;
  /** Labels with a count, by camera: at midnight they go back to 0. */
  readonly #labels = new Map<string, Set<string>>();
  readonly #stops: readonly (() => void)[];
  /** Labels of which events have begun since the last count. */
  readonly #changed = new Set<string>();
  #day: number;
  #cancelGather: (() => void) | null = null;
  #cancelLook: () => void = () => {};

  constructor(options: DailyCountsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? backgroundClock;
    this.#dayOf = options.dayOf ?? localDayOf;
    this.#day = this.#dayOf(this.#clock.wall());
    const { signals, store } = options;
    this.#stops = [
      signals.on('cameras', ({ cameras }) => this.#setCameras(cameras)),
      signals.on('events', ({ events }) => {
        for (const { type, label } of events) if (type === 'new') this.#count(label);
      }),
      store.onClockSet(() => this.#look()),
    ];
    this.#lookLater();
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#cancelGather?.();
    this.#cancelLook();
  }

  #setCameras(cameras: readonly CameraView[]): void {
    const names = new Set(cameras.map(({ name }) => name));
    for (const name of this.#labels.keys()) if (!names.has(name)) this.#labels.delete(name);
    for (const { name, labels } of cameras) {
      const known = this.#labels.get(name) ?? new Set();
      this.#labels.set(name, known);
      for (const label of labels) known.add(label);
    }
    this.#showAll();
  }

  #count(label: string): void {
    this.#changed.add(label);
    this.#cancelGather ??= this.#clock.setTimer(() => {
      this.#cancelGather = null;
      const labels = [...this.#changed];
      this.#changed.clear();
      if (this.#isNewDay()) this.#showAll();
      else for (const each of labels) this.#show(this.#options.store.countEvents(this.#day, each));
    }, GATHER_MS);
  }

  #lookLater(): void {
    const now = this.#clock.wall();
    // Somewhere in the next day, whichever hours it has; then it is asked when that began.
    const midnight = this.#dayOf(this.#day + 36 * 3_600_000);
    const ms = midnight > now ? Math.min(LOOK_MS, midnight - now) : LOOK_MS;
    this.#cancelLook = this.#clock.setTimer(() => this.#look(), Math.max(1, ms));
  }

  #look(): void {
    this.#cancelLook();
    if (this.#isNewDay()) this.#showAll();
    this.#lookLater();
  }

  #isNewDay(): boolean {
    const day = this.#dayOf(this.#clock.wall());
    const isNew = day !== this.#day;
    this.#day = day;
    return isNew;
  }

  /** Counts everything anew; a label without an event is at 0. */
  #showAll(): void {
    const found = this.#options.store.countEvents(this.#day, null);
    const counted = new Set(found.map(({ camera, label }) => `${camera}\0${label}`));
    for (const [camera, labels] of this.#labels) {
      for (const label of labels) {
        if (!counted.has(`${camera}\0${label}`)) this.#publish(camera, label, 0);
      }
    }
    this.#show(found);
  }

  #show(counts: ReturnType<Store['countEvents']>): void {
    for (const { camera, label, events } of counts) {
      // A camera that is no more has no topics.
      const labels = this.#labels.get(camera);
      if (labels === undefined) continue;
      labels.add(label);
      this.#publish(camera, label, events);
    }
  }

  #publish(camera: string, label: string, events: number): void {
    this.#options.publisher().setLabel(camera, label, 'countToday', String(events));
  }
}

/** Local midnight; where summer time skips it, the first moment of the day. */
function localDayOf(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}
