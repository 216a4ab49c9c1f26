import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { codedError, messageOf } from '../../errors.js';
import { type Clock, sleep, systemClock } from '../../time.js';
import { createPacer, type FrameRate } from '../pacer.js';
import { looksWhole, readPicture } from '../pixels/picture.js';
import type { Source } from '../source.js';
import { describeSource } from './description.js';
import { PATH_ADVICE, PATH_KEY } from './keys.js';
import { rateOf } from './rate.js';
import { createWatchTree } from './watch-tree.js';

export const WATCH = describeSource({
  summary: 'pictures that appear in a folder or below it, or a picture that is written anew',
  frames: 'encoded',
  through: '',
  keys: { path: PATH_KEY },
  needs: ['path'],
  schemes: [],
  devices: null,
  turns: [0],
  alone: true,
  selects: true,
  rate: ({ fps }) => fps,
  leastStall: null,
  trial: null,
  advice: null,
  missing: PATH_ADVICE,
  faults: () => [],
  create: ({ path, fps }, surroundings) =>
    createWatchSource({
      path: path ?? '',
      fps: rateOf(fps, surroundings),
      clock: surroundings.clock,
    }),
});

export interface WatchOptions {
  /** A folder in which, or below which, pictures appear, or one picture that is written anew. */
  readonly path: string;
  /** Pictures a second when several appear at once. */
  readonly fps: FrameRate;
  readonly clock?: Clock;
}

const LOOK_INTERVAL_MS = 1000;
/** Looks for which a picture without an end waits for the rest of it: slow uploads pause. */
const MAX_POSTPONED = 30;
/** Pictures that wait to be shown; the oldest give way. */
const MAX_WAITING = 100;

/** A file that has appeared or changed, as it was at the last look. */
interface Candidate {
  readonly size: number;
  readonly changed: number;
}

/**
 * Shows each picture that appears in a folder, or each new version of one file, once it has not
 * changed from one look (a second) to the next. What is there at the start is not shown. It looks at
 * the times of change of the folder and its subfolders (see watch-tree.ts); a file in a folder that is
 * overwritten in place is not noticed (watch the file itself).
 */
export function createWatchSource(options: WatchOptions): Source {
  const clock = options.clock ?? systemClock;
  return {
    async run(signal, onFrame) {
      const subject = options.path;
      try {
        const watcher = await createWatcher(options.path);
        const pacer = createPacer(clock, options.fps);
        while (!signal.aborted) {
          await sleep(clock, LOOK_INTERVAL_MS, signal);
          if (signal.aborted) break;
          for (const file of await watcher.look()) {
            const bytes = await readPicture(file);
            if (bytes === null) continue;
            if (!looksWhole(bytes) && watcher.postpone(file)) continue;
            await pacer.next(signal);
            if (signal.aborted) break;
            await onFrame({
              width: 0,
              height: 0,
              format: 'jpeg',
              range: 'full',
              bytes,
              name: file,
            });
          }
        }
        return codedError('MND_CAMERA_STOPPED', { subject });
      } catch (error) {
        return codedError('MND_CAMERA_MISSING', {
          subject,
          expected: 'a folder or a picture file',
          found: messageOf(error),
          cause: error,
        });
      }
    },
  };
}

interface Watcher {
  /** Files that are new since the last look and complete, oldest first. Rejects when the path is gone. */
  look(): Promise<string[]>;
  /** Waits for the rest of a file; false when it has been waited for long enough. */
  postpone(file: string): boolean;
}

async function createWatcher(path: string): Promise<Watcher> {
  const first = await stat(path);
  return first.isDirectory() ? createFolderWatcher(path) : createFileWatcher(path, first);
}

async function createFolderWatcher(path: string): Promise<Watcher> {
  const tree = await createWatchTree(path);
  const candidates = new Map<string, Candidate | null>();
  /** How often each was postponed. */
  const postponed = new Map<string, number>();

  return {
    async look() {
      for (const name of postponed.keys()) if (!candidates.has(name)) postponed.delete(name);
      for (const name of await tree.appeared()) candidates.set(name, null);
      const complete: { readonly name: string; readonly changed: number }[] = [];
      for (const [name, before] of candidates) {
        const found = await stat(name).catch(() => null);
        if (found === null) candidates.delete(name);
        else if (!isSame(before, found)) candidates.set(name, candidateOf(found));
        else {
          candidates.delete(name);
          complete.push({ name, changed: found.mtimeMs });
        }
      }
      for (const name of candidates.keys()) {
        if (candidates.size <= MAX_WAITING) break;
        candidates.delete(name);
      }
      complete.sort((a, b) => a.changed - b.changed);
      return complete.slice(-MAX_WAITING).map(({ name }) => name);
    },
    postpone(file) {
      const times = (postponed.get(file) ?? 0) + 1;
      if (times > MAX_POSTPONED) {
        postponed.delete(file);
        return false;
      }
      postponed.set(file, times);
      candidates.set(file, null);
      return true;
    },
  };
}

function createFileWatcher(path: string, first: Stats): Watcher {
  let shown: Candidate = candidateOf(first);
  let before: Candidate = shown;
  return {
    async look() {
      const found = await stat(path);
      const settled = isSame(before, found);
      before = candidateOf(found);
      if (!settled || isSame(shown, found)) return [];
      shown = before;
      return [path];
    },
    // What it becomes is a new version, and noticed as such.
    postpone: () => true,
  };
}

function candidateOf({ size, mtimeMs }: Stats): Candidate {
  return { size, changed: mtimeMs };
}

function isSame(before: Candidate | null, { size, mtimeMs }: Stats): boolean {
  return before !== null && before.size === size && before.changed === mtimeMs;
}
