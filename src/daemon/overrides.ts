import { type OverrideReport, overrideText } from '../control/report.js';
import { codedError } from '../errors.js';
import type { Log } from '../log.js';
import { nearestOf } from '../nearest.js';
import type { Settings } from '../store/store.js';
import type { Camera } from './cameras/camera.js';
import type { Cameras } from './cameras/cameras.js';
import type { BoardGovernor } from './governor/board-governor.js';
import type { OverrideLimits } from './options/governor-settings.js';
import type { Signals } from './signals.js';

export interface OverridesOptions {
  /** Where they are kept over a restart. */
  readonly settings: Settings;
  readonly cameras: Cameras;
  readonly governor: BoardGovernor;
  readonly limits: OverrideLimits;
  readonly signals: Signals;
  readonly log: Log;
}

/** What is in force now. */
export interface OverrideState {
  readonly detect: Readonly<Record<string, boolean>>;
  readonly threshold: Readonly<Record<string, number>>;
  /** `auto` or the name of a variant. */
  readonly pin: string;
  /** °C; left out without a governor. */
  readonly limit?: number;
}

/**
 * What can be set from outside while the daemon runs. It is kept in the database and outlives a
 * restart. Every change is told by the signal `overrides`.
 */
export class Overrides {
  readonly #options: OverridesOptions;
  readonly #stopListening: () => void;

  constructor(options: OverridesOptions) {
    this.#options = options;
    this.#restoreGovernor();
    this.#restoreCameras();
    this.#logList();
    this.#stopListening = options.signals.on('cameras', () => this.#restoreCameras());
  }

  /** Everything as it is in force now. */
  state(): OverrideState {
    const { cameras, governor } = this.#options;
    const all = cameras.list();
    const limit = governor.limitC();
    return {
      detect: Object.fromEntries(all.map((camera) => [camera.name, camera.enabled()])),
      threshold: Object.fromEntries(all.map((camera) => [camera.name, camera.threshold()])),
      pin: governor.pin(),
      ...(limit !== null && { limit }),
    };
  }

  /** Names of the variants that can be pinned. */
  pinnable(): readonly string[] {
    return this.#options.limits.pinnable;
  }

  /** Limits the governor may be given, °C. */
  limits(): { readonly min: number; readonly max: number } {
    return this.#options.limits.limitC;
  }

  /** What was set and stands before what the file says, in the order of its keys. */
  list(): readonly OverrideReport[] {
    const found: OverrideReport[] = [];
    for (const [key, value] of this.#options.settings.all()) {
      const configured = this.#configured(key);
      if (configured !== undefined) found.push({ key, value, configured });
    }
    return found;
  }

  /** `auto`: as the file says. */
  setDetect(name: string, on: boolean | 'auto'): void {
    this.#applyDetect(this.#camera(name), on !== false);
    this.#keep(`detect/${name}`, on === false ? 'OFF' : null);
  }

  /** @param threshold score that makes a label present, 0 to 1; `auto`: as the file says */
  setThreshold(name: string, threshold: number | 'auto'): void {
    const camera = this.#camera(name);
    camera.setThreshold(threshold === 'auto' ? camera.configuredThreshold() : threshold);
    this.#keep(`threshold/${name}`, threshold === 'auto' ? null : String(threshold));
  }

  /**
   * Back to what the file says; returns the keys that were set.
   *
   * @param key of {@link list}; null: all of them
   * @throws MND_CONTROL_REQUEST when nothing is set under that key
   */
  reset(key: string | null): readonly string[] {
    const keys = this.list().map((override) => override.key);
    if (key !== null && !keys.includes(key)) throw notSet(key, keys);
    const chosen = key === null ? keys : [key];
    for (const each of chosen) this.#resetOne(each);
    return chosen;
  }

  /** @param variant `auto` or the name of a variant */
  setPin(variant: string): void {
    this.#options.governor.setPin(variant);
    this.#keep('pin', variant === this.#options.limits.configured.pin ? null : variant);
  }

  /** @param limit °C */
  async setLimit(limit: 'auto' | number): Promise<void> {
    const { governor } = this.#options;
    await governor.known;
    if (governor.limitC() === null) {
      throw codedError('MND_MQTT_PAYLOAD', { expected: 'a board with a governor', found: 'none' });
    }
    governor.setLimit(limit);
    this.#keep('limit', limit === this.#options.limits.configured.limit ? null : String(limit));
  }

  close(): void {
    this.#stopListening();
  }

  /** What the file says of a key; null where it has no such camera; undefined for other settings. */
  #configured(key: string): string | null | undefined {
    const { cameras, limits } = this.#options;
    const [kind = '', name] = split(key);
    if (name === undefined) {
      if (kind === 'pin') return limits.configured.pin;
      return kind === 'limit' ? String(limits.configured.limit) : undefined;
    }
    const camera = cameras.get(name);
    if (kind === 'detect') return camera === undefined ? null : 'ON';
    if (kind === 'threshold')
      return camera === undefined ? null : String(camera.configuredThreshold());
    return undefined;
  }

  #logList(): void {
    const overrides = this.list();
    if (overrides.length === 0) return;
    const text = overrides.map(overrideText).join('; ');
    const advice = 'mobilenetd ctl reset goes back to the file';
    this.#options.log.info({ overrides }, `set at run time: ${text} (${advice})`);
  }

  #resetOne(key: string): void {
    const { cameras, governor, limits } = this.#options;
    const [kind, name] = split(key);
    const camera = name === undefined ? undefined : cameras.get(name);
    if (kind === 'pin') governor.setPin(limits.configured.pin);
    if (kind === 'limit') governor.setLimit(limits.configured.limit);
    if (kind === 'detect') camera?.setEnabled(true);
    if (kind === 'threshold') camera?.setThreshold(camera.configuredThreshold());
    this.#keep(key, null);
  }

  #restoreCameras(): void {
    const { settings, cameras, signals } = this.#options;
    for (const camera of cameras.list()) {
      if (settings.get(`detect/${camera.name}`) === 'OFF') this.#applyDetect(camera, false);
      const threshold = Number(settings.get(`threshold/${camera.name}`) ?? Number.NaN);
      if (threshold >= 0 && threshold <= 1) camera.setThreshold(threshold);
    }
    signals.emit('overrides', { key: null });
  }

  /** What was set under another configuration may not fit this one. */
  #restoreGovernor(): void {
    const { settings, governor, limits } = this.#options;
    const pin = settings.get('pin');
    if (pin !== null && ['auto', ...limits.pinnable].includes(pin)) governor.setPin(pin);
    const limit = settings.get('limit');
    const celsius = Number(limit ?? Number.NaN);
    const { min, max } = limits.limitC;
    if (limit === 'auto') governor.setLimit(limit);
    else if (celsius >= min && celsius <= max) governor.setLimit(celsius);
  }

  #applyDetect(camera: Camera, on: boolean): void {
    camera.setEnabled(on);
    if (!on) this.#options.cameras.end(camera);
  }

  #camera(name: string): Camera {
    const { cameras } = this.#options;
    const camera = cameras.get(name);
    if (camera !== undefined) return camera;
    const names = cameras.list().map((each) => each.name);
    throw codedError('MND_MQTT_PAYLOAD', {
      expected: `a camera (${names.join(', ')})`,
      found: JSON.stringify(name),
    });
  }

  /** Told first: what holds now is said, also where it cannot be kept. */
  #keep(key: string, value: string | null): void {
    this.#options.signals.emit('overrides', { key });
    if (this.#options.settings.set(key, value)) return;
    throw codedError('MND_STORE_FAILED', { subject: key, next: 'it holds until the next restart' });
  }
}

/** `threshold/front` is `threshold` of `front`; a camera's name may have slashes of its own. */
function split(key: string): readonly [string, string?] {
  const slash = key.indexOf('/');
  return slash < 0 ? [key] : [key.slice(0, slash), key.slice(slash + 1)];
}

function notSet(key: string, keys: readonly string[]): Error {
  const near = nearestOf(key, keys);
  return codedError('MND_CONTROL_REQUEST', {
    subject: `reset ${JSON.stringify(key.slice(0, 60))}`,
    expected:
      keys.length === 0 ? 'something that was set at run time' : `one of ${keys.join(', ')}`,
    found: keys.length === 0 ? 'nothing: everything is as the file says' : 'nothing set under it',
    ...(near !== null && { next: `did you mean ${near}?` }),
  });
}
