import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { codedError, messageOf } from '../../errors.js';
import { type Clock, sleep, systemClock } from '../../time.js';
import { createPacer, type FrameRate } from '../pacer.js';
import { looksWhole, readPicture } from '../pixels/picture.js';
import { encodedPicture, type Source } from '../source.js';
import { type BytePath, bytePath, rawPath, shownPath } from './byte-path.js';
import { describeSource, type SourceNotice, type SourceSurroundings } from './description.js';
import { PATH_ADVICE, PATH_KEY } from './keys.js';
import { rateOf } from './rate.js';
import { createWatchTree, type FileIdentity, identityOf } from './watch-tree.js';

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
      onNotice: surroundings.onNotice,
    }),
});

export interface WatchOptions {
  /** A folder in which, or below which, pictures appear, or one picture that is written anew. */
  readonly path: string;
  /** Pictures a second when several appear at once. */
  readonly fps: FrameRate;
  readonly clock?: Clock;
  readonly onNotice?: SourceSurroundings['onNotice'];
}

const LOOK_INTERVAL_MS = 1000;
/** Looks for which a picture without an end waits for the rest of it: slow uploads pause. */
const MAX_POSTPONED = 30;
/** Pictures that wait to be shown; the oldest give way. */
const MAX_WAITING = 100;
/** A picture that was written so long before it appears (ms) shows another time than now. */
const MAX_AGE_MS = 600_000;

/**
 * Shows each picture that appears in a folder, or each new version of one file, once it has not
 * changed from one look (a second) to the next. What is there at the start is not shown, nor what was
 * written long before it appeared (a mount that comes late, an archive that is moved). It looks at the
 * times of change of the folder and its subfolders (see watch-tree.ts); a file in a folder that is
 * overwritten in place is not noticed before something else changes there (watch the file itself).
 */
export function createWatchSource(options: WatchOptions): Source {
  const clock = options.clock ?? systemClock;
  return {
    async run(signal, onFrame) {
      const subject = options.path;
      const notice: Notice = (found) => options.onNotice?.(found);
      try {
        const watcher = await createWatcher(options.path, clock, notice);
        const pacer = createPacer(clock, options.fps);
        while (!signal.aborted) {
          await sleep(clock, LOOK_INTERVAL_MS, signal);
          if (signal.aborted) break;
          for (const file of await watcher.look()) {
            const name = shownPath(file);
            const { bytes, reason } = await readPicture(rawPath(file));
            if (bytes === null) {
              if (reason !== null) notice(refusal(name, reason));
              continue;
            }
            if (!looksWhole(bytes) && watcher.postpone(file)) continue;
            await pacer.next(signal);
            if (signal.aborted) break;
            await onFrame({ ...encodedPicture(bytes), name });
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

type Notice = (notice: SourceNotice) => void;

function refusal(name: string, reason: string): SourceNotice {
  return {
    kind: 'refused',
    key: `refused ${name}`,
    message: `a picture is left out: ${name}: ${reason}`,
  };
}

interface Watcher {
  /** Files that are new since the last look and complete, oldest first. Rejects when the path is gone. */
  look(): Promise<BytePath[]>;
  /** Waits for the rest of a file; false when it has been waited for long enough. */
  postpone(file: BytePath): boolean;
}

async function createWatcher(path: string, clock: Clock, notice: Notice): Promise<Watcher> {
  const first = await stat(path);
  return first.isDirectory()
    ? createFolderWatcher(path, clock, notice)
    : createFileWatcher(path, first);
}

async function createFolderWatcher(path: string, clock: Clock, notice: Notice): Promise<Watcher> {
  const tree = await createWatchTree(path, (subject, reason) =>
    notice({
      kind: 'refused',
      key: `refused ${subject}`,
      message: `what appears there is not noticed: ${subject}: ${reason}`,
    }),
  );
  /** Files that have appeared or changed, as they were at the last look. */
  const candidates = new Map<BytePath, FileIdentity | null>();
  /** How often each was postponed. */
  const postponed = new Map<BytePath, number>();

  function isNow(name: BytePath, { mtimeMs }: Stats): boolean {
    const age = clock.wall() - mtimeMs;
    if (age <= MAX_AGE_MS) return true;
    const written = new Date(mtimeMs).toISOString();
    notice({
      kind: 'old',
      key: 'old pictures',
      message: `pictures that appear with an old time of change are not shown as new: ${shownPath(name)} is of ${written}`,
    });
    return false;
  }

  const overrun = (count: number): void => {
    notice({
      kind: 'overrun',
      key: 'overrun',
      message: `${count} pictures were left out: more than ${MAX_WAITING} came at once`,
    });
  };

  return {
    async look() {
      for (const name of postponed.keys()) if (!candidates.has(name)) postponed.delete(name);
      for (const name of await tree.appeared()) candidates.set(name, null);
      const complete: { readonly name: BytePath; readonly changed: number }[] = [];
      for (const [name, before] of candidates) {
        const found = await stat(rawPath(name)).catch(() => null);
        if (found === null) {
          candidates.delete(name);
          continue;
        }
        const now = identityOf(found);
        if (now !== before) {
          candidates.set(name, now);
          continue;
        }
        candidates.delete(name);
        tree.settle(name, now);
        if (isNow(name, found)) complete.push({ name, changed: found.mtimeMs });
      }
      for (const name of candidates.keys()) {
        if (candidates.size <= MAX_WAITING) break;
        candidates.delete(name);
        overrun(1);
      }
      complete.sort((a, b) => a.changed - b.changed);
      if (complete.length > MAX_WAITING) overrun(complete.length - MAX_WAITING);
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
  let last = identityOf(first);
  let before = last;
  return {
    async look() {
      const now = identityOf(await stat(path));
      const settled = now === before;
      before = now;
      if (!settled || now === last) return [];
      last = now;
      return [bytePath(path)];
    },
    // What it becomes is a new version, and noticed as such.
    postpone: () => true,
  };
}
