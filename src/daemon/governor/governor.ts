import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../errors.js';
import type { Variant } from '../../models/variant.js';
import type { HeatReading, Thermometer } from '../../thermal/thermometer.js';
import type { Ladder } from '../model.js';
import { ungovernedPayload } from '../outputs/governor-payload.js';
import { type Governing, type GoverningOptions, limitOf, startGoverning } from './governing.js';
import { type MeasuredRung, measureRungs } from './rungs.js';
import { realThermometer } from './thermometer.js';

export interface GovernorPartOptions
  extends Omit<GoverningOptions, 'rungs' | 'thermometer' | 'pin' | 'limit'> {
  readonly thermometer?: Thermometer;
  readonly ladder: Ladder;
  /** Resolves with the first labelled frame. */
  readonly labelled: Promise<void>;
}

/** Milliseconds that measuring waits for a first frame, which may never come. */
const FIRST_FRAME_MS = 30_000;

/** The governor of the daemon, or what stands in its place when there is none. */
export interface GovernorPart {
  /** Resolves when it is known whether there is a sensor to govern by; never rejects. */
  readonly known: Promise<void>;
  /** Resolves when it governs, or when nothing will; never rejects. */
  readonly started: Promise<void>;
  heat(): HeatReading | null;
  /** `auto` or the name of the variant that is pinned. */
  pin(): string;
  /** Tells a new publisher of it. */
  show(): void;
  setPin(variant: string): void;
  /** Temperature never to reach, °C, while rungs are still measured, too; null without a governor. */
  limitC(): number | null;
  /** What `<base>/governor` would say now; null while there is no governor. */
  payload(): Record<string, unknown> | null;
  setLimit(limit: 'auto' | number): void;
  /** Goes on with the same variants in other forms, or with other costs. */
  adopt(ladder: Ladder): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Measures the variants in the background, once a frame has been labelled, and then starts the governor; until then the first variant
 * labels frames. Without a sensor there is no governor (`governor.enabled: auto`), which is said.
 */
export function startGovernor(options: GovernorPartOptions): GovernorPart {
  const { config, log } = options;
  const thermometer = options.thermometer ?? realThermometer(config);
  let governing: Governing | null = null;
  let lone: HeatReading | null = null;
  const stopping = new AbortController();
  const { signal } = stopping;
  let mayMeasure: Promise<void> | null = null;
  /** Why nothing governs; null while something does, or may yet. */
  let off: string | null = null;
  let { pin, limit } = config.governor;
  let { ladder } = options;
  /** There is a sensor; rungs may still be measured, which waits for a first frame. */
  let governs = false;

  async function sense(): Promise<void> {
    if (config.governor.enabled === false) {
      off = 'governor.enabled is false: heat is not looked after';
      log.warn('governor: off (governor.enabled: false): nothing keeps this board from throttling');
      return;
    }
    lone = await thermometer.read(0, 0);
    if (lone.tempC === null && config.governor.enabled === 'auto') {
      off = 'no temperature sensor was found: heat is not looked after';
      log.warn('governor: off: no temperature sensor was found, so heat is not looked after');
      return;
    }
    governs = true;
  }

  async function govern(): Promise<void> {
    const rungs = await measure();
    governs = rungs.length > 0;
    if (signal.aborted || !governs) return;
    governing = await startGoverning({ ...options, thermometer, rungs, pin, limit });
    if (signal.aborted) governing.stop();
  }

  function measure(): Promise<MeasuredRung[]> {
    return measureRungs({
      variants: ladder.variants,
      costMs: (variant) =>
        thermometer.costMs(variant) ?? ladder.measuredMs.get(variant.name) ?? measureNow(variant),
      onError(variant, error) {
        if (signal.aborted) return;
        log.warn({ err: error }, `governor: ${variant.name} is left out: ${messageOf(error)}`);
      },
    });
  }

  /** On a slow board this takes a minute, for which the first frame must not wait. */
  async function measureNow(variant: Variant): Promise<number> {
    const timeout = () => delay(FIRST_FRAME_MS, undefined, { signal });
    mayMeasure ??= Promise.race([options.labelled, timeout()]);
    await mayMeasure;
    signal.throwIfAborted();
    return options.network.measure(variant);
  }

  async function pinOnly(): Promise<void> {
    const running = options.network.mix()?.high.name;
    const wanted = pin === 'auto' ? running : pin;
    const pinned = ladder.variants.find(({ name }) => name === wanted);
    if (pinned !== undefined) await options.network.use({ low: pinned, high: pinned, fraction: 1 });
    else if (pin !== 'auto') log.warn(`governor: no installed variant is named ${pin}`);
    show();
  }

  function show(): void {
    const used = options.network.mix()?.high;
    const idle = used === undefined || off === null ? null : ungovernedPayload(used, off);
    const payload = governing?.payload() ?? idle;
    if (payload !== null) options.messaging.publisher.setGovernor(payload);
  }

  function notStarted(error: unknown): void {
    governs = false;
    log.error({ err: error }, `governor: not started: ${messageOf(error)}`);
  }

  const known = sense().catch(notStarted);
  const starting = known.then(() => (governs ? govern() : pinOnly())).catch(notStarted);
  return {
    known,
    started: starting,
    heat: () => governing?.heat() ?? lone,
    pin: () => pin,
    show,
    setPin(variant) {
      pin = variant;
      if (governing === null)
        void starting.then(() => (governing === null ? pinOnly() : undefined));
      governing?.reconfigure(pin, limit);
    },
    limitC() {
      if (governing !== null) return governing.limitC();
      return governs ? limitOf({ config, thermometer, limit }).limitC : null;
    },
    payload: () => governing?.payload() ?? null,
    setLimit(next) {
      if (governing === null) limitOf({ config, thermometer, limit: next });
      else governing.reconfigure(pin, next);
      limit = next;
    },
    async adopt(next) {
      await starting;
      if (signal.aborted) return;
      ladder = next;
      if (governing === null) return pinOnly();
      governing.stop();
      await govern();
    },
    async stop() {
      stopping.abort();
      await starting;
      governing?.stop();
    },
  };
}
