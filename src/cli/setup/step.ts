import type { Config } from '../../config/config.js';
import type { LoadedConfig } from '../../config/load.js';
import type { Finding } from '../../doctor/finding.js';
import type { FoundBroker } from '../../mqtt/discover/broker.js';
import type { Asker } from './asker.js';
import type { Draft } from './draft.js';

/** A camera that can be chosen. */
export interface FoundCamera {
  /** What the option takes: `libcamera`, or the path of a device. */
  readonly name: string;
  /** What it is, for people. */
  readonly what: string;
  /** What stands below the camera's name in a configuration. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** How one look through a camera went. */
export interface CameraLook {
  readonly delivers: boolean;
  readonly found: string;
  /** What to do about it; null when there is nothing to do. */
  readonly next: string | null;
  /** File with a JPEG of it; null when there is none. */
  readonly picture: string | null;
}

/** What became of something that was sent for a test; `error` is null when it arrived. */
export interface Trial {
  readonly to: string;
  readonly error: string | null;
}

/** Everything of the machine and of the network that the steps look at. */
export interface SetupAround {
  /** What the doctor finds of the system, its programs, its clock, its power and the rights of this user. */
  examineSystem(config: Config): Promise<readonly Finding[]>;
  findCameras(): Promise<readonly FoundCamera[]>;
  /** Looks through a camera that has these settings, with its password among them. */
  lookThrough(settings: FoundCamera['settings']): Promise<CameraLook>;
  /** Labels of the configured model, installed or not; null where nobody can say. */
  labelsOf(config: Config): Promise<readonly string[] | null>;
  findBroker(config: Config): Promise<FoundBroker | null>;
  /** The doctor's look at the configured broker. */
  checkBroker(config: Config): Promise<readonly Finding[]>;
  /** Sends a message through the broker and waits until it comes back. */
  sendThrough(config: Config): Promise<Trial>;
  /** Sends a drawn event through every channel of a rule. */
  tryRule(rule: string, config: Config): Promise<readonly Trial[]>;
  hashPassword(password: string): Promise<string>;
  /** Model of the board in the device tree; null where there is none. */
  readonly boardModel: string | null;
}

/** What a step is given. */
export interface StepInput {
  readonly asker: Asker;
  readonly draft: Draft;
  /** Folder of the configuration file, where files of secrets are put. */
  readonly folder: string;
  readonly around: SetupAround;
  /** The configuration as it would be. @throws MND_CONFIG_INVALID */
  load(): LoadedConfig;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** An option of the command, which answers a question of the step. */
export interface StepOption {
  /** Without dashes. */
  readonly name: string;
  readonly value: string;
  readonly help: string;
}

/** One subject of the dialogue. */
export interface Step {
  readonly name: string;
  readonly title: string;
  readonly options: readonly StepOption[];
  /** Asks, tries, and writes what it was told into the draft. Returns what `--json` tells. */
  run(input: StepInput): Promise<Readonly<Record<string, unknown>>>;
}
