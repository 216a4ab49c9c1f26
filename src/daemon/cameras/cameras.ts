import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/config.js';
import type { Variant } from '../../models/variant.js';
import { type Clock, systemClock } from '../../time.js';
import type { Recorder } from '../line/recorder.js';
import type { CameraView, Signals } from '../signals.js';
import type { Camera } from './camera.js';

export interface CamerasOptions {
  /**
   * Labels by camera that are known before they are ever seen. Throws when the cameras cannot be what
   * the configuration says; changes nothing.
   */
  readonly announce: (config: Config, variant: Variant) => ReadonlyMap<string, readonly string[]>;
  /** Gives a camera that runs on what has changed around it. */
  readonly configure: (camera: Camera, config: Config) => void;
  /** Builds a camera; nothing of it runs yet. */
  readonly build: (name: string, config: Config) => Camera;
  /** Asked of the cameras there are from now on, before any of them runs. */
  readonly schedule: (cameras: readonly Camera[]) => void;
  readonly recorder: Pick<Recorder, 'end' | 'tick'>;
  readonly signals: Signals;
  readonly clock?: Clock;
}

interface Member {
  readonly camera: Camera;
  /** What it was built from, to see what changed. */
  readonly signature: string;
}

const TICK_MS = 1000;

/** All cameras of the daemon. */
export class Cameras {
  readonly #options: CamerasOptions;
  readonly #clock: Clock;
  #members = new Map<string, Member>();
  /** The network's labels. */
  #labels: readonly string[] = [];
  #cancelTick: (() => void) | null = null;

  constructor(options: CamerasOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Makes the cameras what the configuration says: those whose part of it has not changed run on.
   * `variant` is the network that labels their frames.
   * When a new one cannot be built nothing is changed and the error is thrown.
   */
  async apply(config: Config, variant: Variant): Promise<void> {
    const { configure, schedule, signals } = this.#options;
    const before = this.#members;
    const labels = this.#options.announce(config, variant);
    const next = this.#plan(config);
    // Labels of another network mean something else: what they name has ended.
    if (!isDeepStrictEqual(variant.labels, this.#labels)) this.endAll();
    this.#labels = variant.labels;
    const runsOn = ({ camera }: Member) => next.get(camera.name)?.camera === camera;
    this.#members = next;
    for (const member of before.values()) if (runsOn(member)) configure(member.camera, config);
    const replaced = [...before.values()].filter((member) => !runsOn(member));
    await Promise.all(replaced.map(({ camera }) => this.#retire(camera)));
    schedule(this.list());
    const names = [...next.keys()];
    const cameras = this.list().map((camera) =>
      viewOf(camera, config, labels.get(camera.name) ?? [], variant),
    );
    signals.emit('cameras', {
      cameras,
      added: names.filter((name) => !before.has(name)),
      removed: [...before.keys()].filter((name) => !next.has(name)),
      rebuilt: replaced.map(({ camera }) => camera.name).filter((name) => next.has(name)),
    });
    for (const camera of this.list()) camera.start();
    this.#cancelTick ??= this.#tickLater();
  }

  list(): readonly Camera[] {
    return [...this.#members.values()].map(({ camera }) => camera);
  }

  get(name: string): Camera | undefined {
    return this.#members.get(name)?.camera;
  }

  /** Ends what is present in front of a camera: nobody looks any more. */
  end(camera: Camera): void {
    this.#options.recorder.end(camera);
  }

  /** Ends what is present in front of any of them. */
  endAll(): void {
    for (const camera of this.list()) this.end(camera);
  }

  async stop(): Promise<void> {
    this.#cancelTick?.();
    this.#cancelTick = null;
    const members = [...this.#members.values()];
    this.#members = new Map();
    await Promise.all(members.map(({ camera }) => this.#retire(camera)));
  }

  #plan(config: Config): Map<string, Member> {
    const next = new Map<string, Member>();
    for (const [name, settings] of Object.entries(config.cameras)) {
      if (!settings.enabled) continue;
      const signature = JSON.stringify([settings, config.location]);
      const running = this.#members.get(name);
      const kept = running?.signature === signature ? running : undefined;
      next.set(name, kept ?? { camera: this.#options.build(name, config), signature });
    }
    return next;
  }

  /** What a camera shows ends at once, however long its source takes to stop. */
  async #retire(camera: Camera): Promise<void> {
    this.#options.recorder.end(camera);
    await camera.stop();
  }

  #tickLater(): () => void {
    return this.#clock.setTimer(() => {
      const now = { capturedAt: this.#clock.now(), time: this.#clock.wall() };
      this.#cancelTick = this.#tickLater();
      this.#options.recorder.tick(this.list(), now);
    }, TICK_MS);
  }
}

function viewOf(
  camera: Camera,
  config: Config,
  labels: readonly string[],
  { task }: Variant,
): CameraView {
  // Nothing of a classifier is in a zone.
  const zones = task === 'classify' ? [] : Object.entries(config.cameras[camera.name]?.zones ?? {});
  return {
    name: camera.name,
    labels,
    zones: zones.map(([name, zone]) => ({
      name,
      labels: zone.labels === 'all' ? labels : zone.labels,
    })),
    inZones: () => camera.presence.zones(),
    status: () => camera.status(),
    reason: () => camera.reason(),
    open: () => camera.presence.open(),
  };
}
