import type { Frame } from '../camera/source.js';
import type { CameraStatus } from '../camera/supervisor.js';
import { messageOf } from '../errors.js';
import type { Result } from '../inference/result.js';
import { createRepeatingLog, type Log, type RepeatingLog } from '../log.js';
import type { Variant } from '../models/variant.js';
import type { PresenceEvent, ZoneState } from '../presence/event.js';
import { type Clock, systemClock } from '../time.js';
import type { GovernorState } from './governor-state.js';
import type { Sighting } from './sightings.js';

/** A camera as onlookers see it. */
export interface CameraView {
  readonly name: string;
  /** Labels and groups that are known before they are ever seen. */
  readonly labels: readonly string[];
  status(): CameraStatus;
  /** Why it is not online; null when it is. */
  reason(): string | null;
  /** Its zones, each with the labels that are known before they are ever seen in it. */
  readonly zones: readonly { readonly name: string; readonly labels: readonly string[] }[];
  /** What is in its zones now. */
  inZones(): readonly ZoneState[];
  /** The events of what is present in front of it, as they are now. */
  open(): readonly PresenceEvent[];
}

/** What happened, by the name of the signal. Everything in it may be kept but a frame's bytes. */
export interface SignalMap {
  /** A frame was labelled and what it said was recorded. */
  readonly labelled: {
    /** With the labels that the camera keeps, under their short names. */
    readonly result: Result;
    /** Its bytes are only valid until the listener returns. */
    readonly frame: Frame;
  };
  /** Labels have come, changed or gone, be it recorded or (the disk refuses) waiting to be. */
  readonly presence: { readonly events: readonly PresenceEvent[] };
  /**
   * Events are in the database; `result` is the one that caused them, if any did, and `sightings` what it says of
   * their objects, by the events' ids.
   */
  readonly events: {
    readonly events: readonly PresenceEvent[];
    readonly result: Result | null;
    readonly sightings: ReadonlyMap<string, Sighting>;
  };
  /** Who is in which zone has changed; what events say of it is in the database. */
  readonly zones: { readonly states: readonly ZoneState[] };
  /** The governor decided something that a person would call a change. */
  readonly decision: GovernorState;
  /** A camera's status, and why it is not online. */
  readonly camera: {
    readonly name: string;
    readonly status: CameraStatus;
    readonly reason: string | null;
  };
  /** The cameras there are from now on; none of the added ones runs yet. */
  readonly cameras: {
    readonly cameras: readonly CameraView[];
    /** Names of those that are new. */
    readonly added: readonly string[];
    readonly removed: readonly string[];
    /** Names of those that were stopped and built anew. */
    readonly rebuilt: readonly string[];
  };
  /** What is set at run time has changed: see overrides.ts. */
  readonly overrides: { readonly key: string | null };
  /** All parts run: after the start, and after everything was started anew. */
  readonly running: object;
  /** Another model labels frames. */
  readonly model: { readonly variant: Variant };
}

export type SignalName = keyof SignalMap;

type Listener<Name extends SignalName> = (value: SignalMap[Name]) => unknown;
type Listeners = { readonly [Name in SignalName]: Set<Listener<Name>> };

/**
 * Tells onlookers what has happened, after it has been recorded. Emitting calls every listener at once,
 * in the order they came. A listener that throws, or whose promise rejects, harms nobody else: it is
 * logged, once a minute.
 */
export class Signals {
  readonly #repeating: RepeatingLog;
  readonly #listeners: Listeners = {
    labelled: new Set(),
    presence: new Set(),
    events: new Set(),
    zones: new Set(),
    decision: new Set(),
    camera: new Set(),
    cameras: new Set(),
    overrides: new Set(),
    running: new Set(),
    model: new Set(),
  };

  constructor(log: Pick<Log, 'info' | 'warn' | 'error'>, clock: Clock = systemClock) {
    this.#repeating = createRepeatingLog(log, { clock });
  }

  /** Calls the listener from now on; returns how to end that. */
  on<Name extends SignalName>(name: Name, listener: Listener<Name>): () => void {
    this.#listeners[name].add(listener);
    return () => void this.#listeners[name].delete(listener);
  }

  emit<Name extends SignalName>(name: Name, value: SignalMap[Name]): void {
    const listeners = this.#listeners[name];
    if (listeners.size === 0) return;
    for (const listener of [...listeners]) {
      try {
        const outcome = listener(value);
        if (outcome instanceof Promise) outcome.catch((error: unknown) => this.#log(name, error));
      } catch (error) {
        this.#log(name, error);
      }
    }
  }

  #log(name: SignalName, error: unknown): void {
    const key = `${name} ${messageOf(error)}`;
    this.#repeating.error(key, `a listener to ${name} failed: ${messageOf(error)}`, { err: error });
  }
}
