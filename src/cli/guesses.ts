import type { ChosenCamera } from '../camera/discover/choose.js';
import type { LoadedConfig } from '../config/load.js';
import type { Log } from '../daemon/diagnostics/log.js';
import { type FoundBroker, isOnThisMachine } from '../mqtt/discover/broker.js';
import { type Clock, createBackoff, sleep, systemClock } from '../time.js';

/** The name of a camera that was found and not configured. */
export const FOUND_CAMERA = 'camera';

export interface GuessesOptions {
  /** Reads the configuration with values by dotted key over it. */
  readonly load: (flags: Readonly<Record<string, unknown>>) => LoadedConfig;
  readonly chooseCamera: (
    signal: AbortSignal,
  ) => Promise<{ readonly camera: ChosenCamera | null; readonly tried: readonly string[] }>;
  readonly findBroker: (loaded: LoadedConfig, signal: AbortSignal) => Promise<FoundBroker | null>;
  readonly log: Log;
  readonly clock?: Clock;
}

/** How often what was not found is looked for again, ms. */
const AGAIN = { firstMs: 15_000, lastMs: 600_000 };
/** A login does not say which broker is meant; it is sent to none that only the network names. */
const LOGIN_KEYS = /^mqtt\.(username|password|password_file)$/;

/**
 * Fills in what no configuration speaks of: the camera, and the broker. The first line about either
 * ends the guessing for it. What was found is written nowhere.
 */
export class Guesses {
  readonly #options: GuessesOptions;
  readonly #clock: Clock;
  #camera: ChosenCamera | null = null;
  #tried: readonly string[] = [];
  #broker: FoundBroker | null = null;
  /** What the configuration says nothing about, when it was read last. */
  #free = { camera: false, broker: false };
  #hasLogin = false;
  #hasLooked = false;

  constructor(options: GuessesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The configuration with what was found; @throws what loading throws */
  loaded(): LoadedConfig {
    const plain = this.#read();
    const flags: Record<string, unknown> = {};
    if (this.#camera !== null && this.#free.camera) {
      flags.cameras = { [FOUND_CAMERA]: this.#camera.settings };
    }
    if (this.#broker !== null && this.#free.broker && !this.#isLoginAtStake(this.#broker)) {
      flags['mqtt.url'] = this.#broker.url;
    }
    if (Object.keys(flags).length === 0) return plain;
    const { config, origins, warnings } = this.#options.load(flags);
    const own = [...origins].map(([key, origin]): [string, string] => [
      key,
      origin.startsWith('--') ? 'found by itself' : origin,
    ]);
    return { config, origins: new Map(own), warnings };
  }

  /** What was found, and what not, as sentences; empty where everything is configured. */
  found(): readonly string[] {
    return [
      ...(this.#free.camera ? [cameraText(this.#camera, this.#tried)] : []),
      ...(this.#free.broker ? [this.#brokerText()] : []),
    ];
  }

  /** Looks for what is neither configured nor found yet. Resolves with whether anything changed. */
  async look(signal: AbortSignal): Promise<boolean> {
    const before = this.#hasLooked ? this.found() : [];
    const plain = this.#read();
    const missing = this.#missing();
    const [camera, broker] = await Promise.all([
      missing.camera ? this.#options.chooseCamera(signal) : null,
      missing.broker ? this.#options.findBroker(plain, signal) : this.#broker,
    ]);
    const { log } = this.#options;
    const changed = (camera?.camera ?? null) !== null || broker?.url !== this.#broker?.url;
    if (camera !== null) {
      this.#camera = camera.camera;
      this.#tried = camera.tried;
    }
    this.#broker = broker;
    this.#hasLooked = true;
    for (const text of this.found()) if (!before.includes(text)) log.info({ found: true }, text);
    return changed;
  }

  /** Looks again, ever less often, while something is missing; `onChange` when it has come. */
  async keepLooking(onChange: () => void, signal: AbortSignal): Promise<void> {
    const backoff = createBackoff(AGAIN);
    while (!signal.aborted) {
      await sleep(this.#clock, backoff.next(), signal);
      if (signal.aborted) return;
      try {
        this.#read();
        const { camera, broker } = this.#missing();
        if (!camera && !broker) continue;
        if (await this.look(signal)) onChange();
      } catch {
        // A file that cannot be read now is told of by the reload that comes of it.
      }
    }
  }

  /** Whether connecting would hand the configured login to a stranger. */
  #isLoginAtStake({ url }: FoundBroker): boolean {
    return this.#hasLogin && !isOnThisMachine(url);
  }

  #brokerText(): string {
    const broker = this.#broker;
    if (broker === null || !this.#isLoginAtStake(broker)) return brokerText(broker);
    const { url, by } = broker;
    return `the broker ${url} (${by}) was found, but the user name in the configuration may be meant for another: it is sent to no broker that only this network names; write mqtt.url: ${url} beside it, and restart. Until then the embedded one is used, which only this board can reach`;
  }

  #read(): LoadedConfig {
    const plain = this.#options.load({});
    const { username, password } = plain.config.mqtt;
    this.#hasLogin = username !== null || password !== null;
    this.#free = { camera: isCameraFree(plain), broker: isBrokerFree(plain) };
    return plain;
  }

  /** What is free and not found, or found locked. */
  #missing(): { readonly camera: boolean; readonly broker: boolean } {
    return {
      camera: this.#free.camera && this.#camera === null,
      broker: this.#free.broker && (this.#broker?.wantsLogin ?? true),
    };
  }
}

/** Whether nothing is said about cameras. */
export function isCameraFree({ config, origins }: LoadedConfig): boolean {
  return Object.keys(config.cameras).length === 0 && !isSaid(origins, /^cameras(\.|$)/);
}

/** Whether nothing is said about the broker but who we are. */
export function isBrokerFree({ origins }: LoadedConfig): boolean {
  return !isSaid(origins, /^mqtt(\.|$)/);
}

function isSaid(origins: ReadonlyMap<string, string>, pattern: RegExp): boolean {
  return [...origins].some(
    ([key, origin]) => pattern.test(key) && !LOGIN_KEYS.test(key) && origin !== 'default',
  );
}

function cameraText(camera: ChosenCamera | null, tried: readonly string[]): string {
  if (camera === null) {
    const list = tried.length === 0 ? '' : ` (${tried.join('; ')})`;
    return `no camera was found${list}: plug one in, or name one (sudo mobilenetd setup); it is looked for again`;
  }
  const { settings, what } = camera;
  const place = settings.source === 'v4l2' ? `, ${settings.device}` : '';
  return `camera: ${what} (${settings.source}${place}), found by itself`;
}

function brokerText(broker: FoundBroker | null): string {
  if (broker === null) {
    return 'no broker was found in this network: the embedded one is used, which only this board can reach';
  }
  const { url, by, wantsLogin } = broker;
  if (!wantsLogin) return `broker: ${url} (${by}), found by itself`;
  return `the broker ${url} (${by}) asks for a user name and a password: give them to sudo mobilenetd setup, or write mqtt.url: ${url} into /etc/mobilenetd/config.yaml, with mqtt.username and mqtt.password_file (or both in /etc/credstore as mobilenetd.mqtt_username and mobilenetd.mqtt_password), and restart`;
}
