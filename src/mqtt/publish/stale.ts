import { messageOf } from '../../errors.js';
import type { Connection, IncomingMessage } from '../connection/connection.js';
import type { Log, Timers } from '../log.js';
import { createSilence } from '../silence.js';
import { FIXED_FIRST, FIXED_SECOND, type Topics } from '../topics.js';
import type { RetainedState } from './retained.js';

/** Silence after which the broker is taken to have sent what it had retained. */
const QUIET_MS = 300;
/** The longest wait for that; corrections go on until the subscription ends. */
const LONGEST_MS = 2000;
const SUBSCRIBED_MS = 10_000;
const MAX_CORRECTIONS = 4096;

/** What to do about a retained message of an earlier process. */
export type Correction = 'keep' | 'off' | 'clear' | 'off-and-clear' | 'offline-and-clear';

/**
 * Decides about a retained message under our root that this process does not say itself: a label of
 * a running camera is OFF, topics of a camera that is no more are taken back.
 */
export function correctionOf(
  levels: readonly string[],
  payload: string,
  knownCamera: boolean,
): Correction {
  const [first = '', second = '', third] = levels;
  if (payload === '' || FIXED_FIRST.some((level) => level === first)) return 'keep';
  if (third === 'attributes') return 'clear';
  if (third !== undefined) return knownCamera ? 'keep' : 'clear';
  if (FIXED_SECOND.some((level) => level === second)) {
    if (knownCamera) return 'keep';
    return second === 'status' ? 'offline-and-clear' : 'clear';
  }
  if (knownCamera) return payload === 'ON' ? 'off' : 'keep';
  return payload === 'ON' ? 'off-and-clear' : 'clear';
}

/**
 * Looks once through what the broker has retained under our root and corrects what an earlier process
 * left behind, even one whose database is lost: no label stays ON that nobody sees. Resolves when the
 * broker has been silent for a moment; never rejects. A broker that does not let us subscribe there
 * (access rules) is left as it is.
 */
export async function sweepStale(options: {
  readonly connection: Connection;
  readonly topics: Topics;
  readonly retained: RetainedState;
  /** First levels of the cameras of this process. */
  readonly cameras: ReadonlySet<string>;
  readonly timers: Timers;
  readonly log: Log;
}): Promise<void> {
  const { connection, topics, retained, timers, log } = options;
  const corrections: Promise<void>[] = [];
  const silence = createSilence(timers);

  async function say(topic: string, payloads: readonly string[]): Promise<void> {
    for (const payload of payloads) {
      await connection.publish(topic, payload, { qos: 1, retain: true });
    }
  }

  function correct({ topic, payload, retain }: IncomingMessage): void {
    if (!retain || corrections.length >= MAX_CORRECTIONS || retained.has(topic)) return;
    silence.heard();
    const levels = topic.slice(topics.root.length + 1).split('/');
    const known = options.cameras.has(levels[0] ?? '');
    const text = payload.subarray(0, 16).toString();
    const correction = correctionOf(levels, text, known);
    if (correction === 'keep') return;
    log.info({ topic, correction }, 'corrected a retained message of an earlier run');
    if (correction === 'off') {
      retained.set(topic, 'OFF', { qos: 1 });
      return;
    }
    const payloads = {
      clear: [''],
      'off-and-clear': ['OFF', ''],
      'offline-and-clear': ['offline', ''],
    };
    corrections.push(say(topic, payloads[correction]).catch(() => {}));
  }

  try {
    const filters = [topics.cameraFilter, topics.attributesFilter, topics.statesFilter];
    const subscription = await connection.subscribe(filters, correct, 0);
    timers.setTimeout(() => void subscription.close(), SUBSCRIBED_MS);
    await silence.fallen(QUIET_MS, LONGEST_MS);
    await Promise.all(corrections);
  } catch (error) {
    log.info({}, `retained messages of an earlier run were not looked at: ${messageOf(error)}`);
  }
}
