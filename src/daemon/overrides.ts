import { codedError } from '../errors.js';
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

  setDetect(name: string, on: boolean): void {
    this.#applyDetect(this.#camera(name), on);
    this.#keep(`detect/${name}`, on ? null : 'OFF');
  }

  /** @param threshold score that makes a label present, 0 to 1 */
  setThreshold(name: string, threshold: number): void {
    this.#camera(name).setThreshold(threshold);
    this.#keep(`threshold/${name}`, String(threshold));
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
