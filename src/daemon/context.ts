import type { SourceSurroundings } from '../camera/sources/description.js';
import type { Config } from '../config/config.js';
import { codedError } from '../errors.js';
import type { LaneReport } from '../notify/lane.js';
import type { PresenceEvent } from '../presence/event.js';
import type { Profiling } from '../profile/profiling.js';
import type { StateLock } from '../store/lock.js';
import type { OutgoingNotice } from '../store/notices.js';
import type { PictureShelf } from '../store/picture-shelf.js';
import type { Store } from '../store/store.js';
import type { Notifier } from '../systemd/notify.js';
import type { Thermometer } from '../thermal/thermometer.js';
import type { Clock } from '../time.js';
import type { Cameras } from './cameras/cameras.js';
import type { LevelSwitch, Log } from './diagnostics/log.js';
import type { BoardGovernor } from './governor/board-governor.js';
import type { Line } from './line/line.js';
import type { MixedEngine } from './line/mixed-engine.js';
import type { Messaging } from './messaging.js';
import type { ProvidedModel } from './model.js';
import type { Overrides } from './overrides.js';
import type { Pictures } from './pictures.js';
import type { SecondModel } from './second-model.js';
import type { SecondNetwork } from './second-network.js';
import type { Signals } from './signals.js';
import { SuppressedSpots } from './spots.js';
import type { Taught } from './taught/taught.js';
import type { WantedLabels } from './wanted-labels.js';

/** The service manager as the daemon sees it. */
export interface ServiceOptions {
  readonly notifier: Notifier;
  /** Milliseconds between signs of life that it wants; null: it does not watch. */
  readonly watchdogMs: number | null;
  /** READY as soon as the cameras have been started, not only after the first labelled frame. */
  readonly readyWithoutFrame: boolean;
}

/** What only the command that started the daemon can tell of it, for the page. */
export interface Inspection {
  /** The newest lines of the log. */
  readonly logs: (count: number) => readonly string[];
  /** What `mobilenetd doctor` finds, cameras left alone. */
  readonly doctor: () => Promise<readonly object[]>;
  /** What runs and was not configured but found, and what was not found, as sentences. */
  readonly found: () => readonly string[];
  /** Where each value of the configuration in force came from, by dotted key. */
  readonly origins: () => ReadonlyMap<string, string>;
  /** Every problem of a configuration that is written nowhere. */
  readonly check: (yaml: string) => Promise<readonly string[]>;
}

/** What is being done; parts are only sure to be there while it is `running`. */
export type Phase = 'starting' | 'running' | 'changing' | 'stopping';

/** The daemon as its parts may steer and see it. */
export interface Steering {
  /**
   * Reads the configuration again and makes it so. Resolves with what was done, in words; rejects when
   * that is refused, and then what ran before runs on.
   */
  reload(): Promise<string>;
  /** Gives the cameras, and whoever shows them, the labels that there are now. */
  refreshLabels(): Promise<void>;
  /** Starts everything anew inside this process, soon. */
  restart(): void;
  /** Whether a frame has been labelled since the process began. */
  hasLabelled(): boolean;
  phase(): Phase;
  /** What of a start or of a change is being done, for people; null where nothing says. */
  doing(): string | null;
  /** Since when, monotonic ms. */
  phaseSince(): number;
  /** When what runs was started, monotonic ms. */
  startedAt(): number;
}

/** Pictures of events; the output of that name fills it in. */
export interface EventPictures {
  /** Null: none are kept. */
  shelf: PictureShelf | null;
  /** Whether the frame that causes an event now gives it a picture, which the message waits for. */
  isWanted: (event: PresenceEvent) => boolean;
  /** For `health`; null: nobody counts. */
  figures: () => PictureFigures | null;
}

/** What pictures of events have cost since the start. */
export interface PictureFigures {
  readonly written: number;
  readonly written_mb: number;
  /** The disk or the CPU was too busy. */
  readonly left_out: number;
  /** The disk, or the coding, failed. */
  readonly failed: number;
}

/** What rules have to tell; the output of that name fills it in. */
export interface Notifications {
  /** Of events that are about to be recorded. */
  noticesOf: (events: readonly PresenceEvent[]) => readonly OutgoingNotice[];
  /** How each channel of each rule fares. */
  reports: () => readonly LaneReport[];
}

/** What is given to the daemon from outside. */
export interface Given {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
  readonly signals: Signals;
  /** The log's least severity; null: it cannot be changed. */
  readonly logLevel: LevelSwitch | null;
  /** The service manager; null: nobody is told anything. */
  readonly service: ServiceOptions | null;
  /** Aborts the start. */
  readonly abort: AbortSignal | undefined;
  /** What happens while a model is fetched and converted, for people. */
  readonly onProgress: (text: string) => void;
  /** Whether a model that cannot be fetched is tried for again and again. */
  readonly isPatient: boolean;
  /** Stands in for the machine's own sensor; null: it does not. */
  readonly thermometer: Thermometer | null;
  /** Processes and the like for the cameras' sources; default: the machine's own, and the daemon's clock. */
  readonly sources: SourceSurroundings;
  /** Null: the page says nothing of what only the command knows. */
  readonly inspection: Inspection | null;
  /** Milliseconds after the start until forms without a profile are measured; default 30 s. */
  readonly profileAfterMs: number | undefined;
}

/** Every part of the daemon, by name; parts.ts says how each is built and what it needs. */
export interface Parts {
  readonly lock: StateLock;
  readonly store: Store;
  readonly model: ProvidedModel;
  /** The second network as it was asked for; null: none was. */
  readonly secondModel: SecondModel | null;
  readonly engine: MixedEngine;
  readonly messaging: Messaging;
  readonly line: Line;
  readonly pictures: Pictures;
  readonly cameras: Cameras;
  readonly governor: BoardGovernor;
  /** What was taught on this board. */
  readonly taught: Taught;
  readonly wantedLabels: WantedLabels;
  /** Null on a simulated board, whose figures are given. */
  readonly profiling: Profiling | null;
  /** Null: there is none. */
  readonly secondNetwork: SecondNetwork | null;
  readonly overrides: Overrides;
}

export type PartName = keyof Parts;

/**
 * All that runs, and what was given to it. `config`, `model`, `governor`, `profiling` and `overrides`
 * are exchanged by a reload: whoever keeps one of them is built anew with it (`follows`), or asks the
 * context every time. The others stay for as long as the daemon runs.
 */
export class Context implements Parts, Given {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
  readonly signals: Signals;
  readonly logLevel: LevelSwitch | null;
  readonly service: ServiceOptions | null;
  /** Aborts what is being started or prepared now. */
  abort: AbortSignal | undefined;
  readonly onProgress: (text: string) => void;
  readonly isPatient: boolean;
  readonly thermometer: Thermometer | null;
  readonly sources: SourceSurroundings;
  readonly inspection: Inspection | null;
  readonly profileAfterMs: number | undefined;
  readonly daemon: Steering;
  readonly eventPictures: EventPictures = {
    shelf: null,
    isWanted: () => false,
    figures: () => null,
  };
  /** False alarms that are kept back. */
  readonly spots = new SuppressedSpots(this);
  /** The second network; null: there is none. The part of that name fills it in. */
  readonly second: { network: SecondNetwork | null } = { network: null };
  readonly notifications: Notifications = { noticesOf: () => [], reports: () => [] };
  /** Where people reach what listens; null while it does not. */
  readonly addresses: {
    page: string | null;
    /** Why it does not listen, though it is to. */
    pageError: string | null;
    /** Ends what tells of the start at the page's address; the output of that name fills it in. */
    release: () => Promise<void>;
  } = { page: null, pageError: null, release: async () => {} };
  /** The configuration in force; while it is being changed, the next one. */
  config: Config;
  readonly #parts: { -readonly [Name in PartName]?: Parts[Name] } = {};

  constructor(given: Given, daemon: Steering, config: Config) {
    this.env = given.env;
    this.clock = given.clock;
    this.log = given.log;
    this.signals = given.signals;
    this.logLevel = given.logLevel;
    this.service = given.service;
    this.abort = given.abort;
    this.onProgress = given.onProgress;
    this.isPatient = given.isPatient;
    this.thermometer = given.thermometer;
    this.sources = given.sources;
    this.inspection = given.inspection;
    this.profileAfterMs = given.profileAfterMs;
    this.daemon = daemon;
    this.config = config;
  }

  get lock(): StateLock {
    return this.#part('lock');
  }

  get store(): Store {
    return this.#part('store');
  }

  get model(): ProvidedModel {
    return this.#part('model');
  }

  get secondModel(): SecondModel | null {
    return this.#part('secondModel');
  }

  get secondNetwork(): SecondNetwork | null {
    return this.#part('secondNetwork');
  }

  get engine(): MixedEngine {
    return this.#part('engine');
  }

  get messaging(): Messaging {
    return this.#part('messaging');
  }

  get line(): Line {
    return this.#part('line');
  }

  get pictures(): Pictures {
    return this.#part('pictures');
  }

  get cameras(): Cameras {
    return this.#part('cameras');
  }

  get governor(): BoardGovernor {
    return this.#part('governor');
  }

  get wantedLabels(): WantedLabels {
    return this.#part('wantedLabels');
  }

  get taught(): Taught {
    return this.#part('taught');
  }

  get profiling(): Profiling | null {
    return this.#part('profiling');
  }

  get overrides(): Overrides {
    return this.#part('overrides');
  }

  /** A part has been built; it takes the place of the one before. */
  set<Name extends PartName>(name: Name, part: Parts[Name]): void {
    this.#parts[name] = part;
  }

  #part<Name extends PartName>(name: Name): Parts[Name] {
    const part = this.#parts[name];
    if (part !== undefined) return part;
    throw codedError('MND_INTERNAL', {
      subject: name,
      expected: 'a part that runs',
      found: 'none',
    });
  }
}
