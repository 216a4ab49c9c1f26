import type { Frame } from '../source.js';
import { GLANCE, glanceAt } from './glance.js';

/** Levels by which a cell may differ in pictures of one scene: noise, and coding. */
const NOISE_LEVELS = 6;
/** Looks after which a scene is judged: by the variants that had a share of them. */
const LOOKS_TO_JUDGE = 6;
/** The picture of a judged scene is taken anew so often, ms; so is the verdict on another's look. */
const REFRESH_MS = 1000;
/** A scene that no judge has seen for so long is judged anew by whichever variant looks, ms. */
const LONGEST_MS = 1_800_000;

/** What the scene was like when its judges looked at it. */
interface Judged {
  readonly judges: Set<string>;
  looks: number;
  picture: Float32Array | Uint8Array | null;
  /** Of the picture, monotonic ms; and of the last look of a judge. */
  pictureAt: number;
  at: number;
}

/**
 * Tells a change of the scene from a change of the eyes: when another variant looks at a scene in which
 * nothing has changed, what it says otherwise is not news. Pictures are compared about once a second, and
 * only for scenes that were judged.
 */
export class Scene {
  #judged: Judged | null = null;
  /** When another variant's picture was last found to be the same. */
  #sameAt: number | null = null;

  /** Whether what `model` says of the frame can be news. */
  isNews(model: string, frame: Frame): boolean {
    const now = frame.capturedAt;
    const judged = this.#judged;
    if (judged === null) return this.#begin(model, now);
    if (judged.looks < LOOKS_TO_JUDGE) judged.judges.add(model);
    if (judged.judges.has(model)) return this.#look(judged, frame);
    if (judged.picture === null || now - judged.at >= LONGEST_MS) return this.#begin(model, now);
    if (this.#sameAt !== null && now - this.#sameAt < REFRESH_MS) return false;
    if (!isSame(judged.picture, pictureOf(frame, null))) return this.#begin(model, now);
    this.#sameAt = now;
    return false;
  }

  #begin(model: string, now: number): true {
    const judges = new Set([model]);
    this.#judged = { judges, looks: 1, picture: null, pictureAt: now, at: now };
    this.#sameAt = null;
    return true;
  }

  #look(judged: Judged, frame: Frame): true {
    const now = frame.capturedAt;
    judged.looks += 1;
    judged.at = now;
    if (judged.looks < LOOKS_TO_JUDGE) return true;
    if (judged.picture !== null && now - judged.pictureAt < REFRESH_MS) return true;
    judged.picture = pictureOf(frame, judged.picture);
    judged.pictureAt = now;
    return true;
  }
}

/** Mean luma on a coarse grid; of an encoded picture its bytes, some of them. */
function pictureOf(
  frame: Frame,
  into: Float32Array | Uint8Array | null,
): Float32Array | Uint8Array {
  if (frame.format === 'jpeg') return sampleOf(frame.bytes);
  const means = into instanceof Float32Array ? into : new Float32Array(GLANCE);
  glanceAt(frame, means);
  return means;
}

const SAMPLES = 1024;

function sampleOf(bytes: Uint8Array): Uint8Array {
  const step = Math.max(1, Math.floor(bytes.length / SAMPLES));
  const sample = new Uint8Array(SAMPLES + 4);
  for (let at = 0; at < SAMPLES; at += 1) sample[at] = bytes[at * step] ?? 0;
  new DataView(sample.buffer).setUint32(SAMPLES, bytes.length);
  return sample;
}

function isSame(before: Float32Array | Uint8Array, now: Float32Array | Uint8Array): boolean {
  if (before.constructor !== now.constructor || before.length !== now.length) return false;
  const most = before instanceof Float32Array ? NOISE_LEVELS : 0;
  for (let at = 0; at < before.length; at += 1) {
    if (Math.abs((before[at] ?? 0) - (now[at] ?? 0)) > most) return false;
  }
  return true;
}
