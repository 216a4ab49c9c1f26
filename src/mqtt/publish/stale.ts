import { messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import type { Clock } from '../../time.js';
import type { Connection, IncomingMessage } from '../connection/connection.js';
import { createSilence } from '../silence.js';
import { FIXED_FIRST, FIXED_SECOND, LABEL_TOPICS, type Topics } from '../topics.js';
import type { RetainedState } from './retained.js';

/** Silence after which the broker is taken to have sent what it had retained. */
const QUIET_MS = 300;
/** The longest wait for that. */
const LONGEST_MS = 2000;
/** Corrections of one look; whoever filled the broker below our root is looked at in several. */
const MAX_CORRECTIONS = 2048;
const MAX_LOOKS = 16;
/** Corrections under way at a time. */
const ABREAST = 16;

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
  const [first = '', second = '', third, fourth] = levels;
  if (payload === '' || FIXED_FIRST.some((level) => level === first)) return 'keep';
  // Attributes of a label in a zone.
  if (fourth !== undefined) return fourth === 'attributes' ? 'clear' : 'keep';
  // Of a picture that stays, so does what is known of it.
  if (third === 'attributes' && second === 'snapshot' && knownCamera) return 'keep';
  // A count that is not ours is of another day.
  if (third === 'attributes' || third === LABEL_TOPICS.countToday.path) return 'clear';
  // States of commands, which Home Assistant reads, or a label in a zone that nobody looks at.
  if (third !== undefined && FIXED_SECOND.some((level) => level === second)) {
    return knownCamera ? 'keep' : 'clear';
  }
  if (third !== undefined) return payload === 'ON' ? 'off-and-clear' : 'clear';
  if (FIXED_SECOND.some((level) => level === second)) {
    if (knownCamera) return 'keep';
    return second === 'status' ? 'offline-and-clear' : 'clear';
  }
  if (knownCamera) return payload === 'ON' ? 'off' : 'keep';
  return payload === 'ON' ? 'off-and-clear' : 'clear';
}

export interface SweepOptions {
  readonly connection: Connection;
  readonly topics: Topics;
  readonly retained: RetainedState;
  /** First levels of the cameras of this process. */
  readonly cameras: ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Log;
}

const PAYLOADS: Readonly<Record<Exclude<Correction, 'keep'>, readonly string[]>> = {
  off: ['OFF'],
  clear: [''],
  'off-and-clear': ['OFF', ''],
  'offline-and-clear': ['offline', ''],
};

/**
 * Looks through what the broker has retained under our root and corrects what an earlier process left
 * behind, even one whose database is lost: no label stays ON that nobody sees. Resolves when the broker
 * has been silent for a moment; never rejects. A broker that does not let us subscribe there (access
 * rules) is left as it is.
 *
 * Bounded, whatever was put there: nothing of it enters our own table of topics, and the log has one
 * line.
 */
export async function sweepStale(options: SweepOptions): Promise<void> {
  const { connection, log } = options;
  const corrected = new Map<string, number>();
  let total = 0;
  let more = true;
  try {
    for (let look = 0; more && look < MAX_LOOKS && connection.connected(); look++) {
      const found = await lookForStale(options);
      more = found.size >= MAX_CORRECTIONS;
      total += await correct(options, found, corrected);
    }
  } catch (error) {
    log.info({}, `retained messages of an earlier run were not looked at: ${messageOf(error)}`);
  }
  if (total === 0) return;
  const cameras = Object.fromEntries([...corrected].slice(0, 16));
  const rest = more ? '; there are more, which the next start looks at' : '';
  log.info({ corrected: total, cameras }, `corrected what an earlier run had retained${rest}`);
}

/** One look: what is to be done about which topic. */
async function lookForStale(options: SweepOptions): Promise<Map<string, Correction>> {
  const { connection, topics, retained, clock } = options;
  const found = new Map<string, Correction>();
  const silence = createSilence(clock);
  const filters = [topics.cameraFilter, topics.labelFilter, topics.zoneAttributesFilter];
  const note = ({ topic, payload, retain }: IncomingMessage): void => {
    if (!retain || retained.has(topic)) return;
    silence.heard();
    if (found.size >= MAX_CORRECTIONS) return;
    const levels = topic.slice(topics.root.length + 1).split('/');
    const known = options.cameras.has(levels[0] ?? '');
    const correction = correctionOf(levels, payload.subarray(0, 16).toString(), known);
    if (correction !== 'keep') found.set(topic, correction);
  };
  const subscription = await connection.subscribe(filters, note, 0);
  await silence.fallen(QUIET_MS, LONGEST_MS);
  await subscription.close();
  return found;
}

/** Corrects, some at a time; counts by camera, and returns how many were. */
async function correct(
  { connection, topics, retained, log }: SweepOptions,
  found: ReadonlyMap<string, Correction>,
  corrected: Map<string, number>,
): Promise<number> {
  const waiting = found.entries();
  let total = 0;
  const work = async (): Promise<void> => {
    for (const [topic, correction] of waiting) {
      // This run may have published the topic meanwhile.
      if (correction === 'keep' || retained.has(topic) || !connection.connected()) continue;
      log.debug({ topic, correction }, 'corrected a retained message of an earlier run');
      for (const payload of PAYLOADS[correction]) {
        await connection.publish(topic, payload, { qos: 1, retain: true }).catch(() => {});
      }
      const camera = topic.slice(topics.root.length + 1).split('/', 1)[0] ?? '';
      corrected.set(camera, (corrected.get(camera) ?? 0) + 1);
      total += 1;
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, work));
  return total;
}
