import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codedError, messageOf } from '../../errors.js';
import { type Clock, systemClock } from '../../time.js';
import { READABLE_FORMATS } from '../../vision/decode-format.js';
import { createPacer, type FrameRate } from '../pacer.js';
import { readPicture } from '../pixels/picture.js';
import { encodedPicture, type Source } from '../source.js';
import { type BytePath, bytePath, rawPath, shownPath, visibleEntries } from './byte-path.js';
import { describeSource, type SourceSurroundings } from './description.js';
import { LOOP_KEY, PATH_ADVICE, PATH_KEY } from './keys.js';
import { rateOf } from './rate.js';

export const FILES = describeSource({
  summary: 'pictures one after the other at `fps`',
  frames: 'encoded',
  through: '',
  keys: { path: PATH_KEY, loop: LOOP_KEY },
  needs: ['path'],
  schemes: [],
  devices: null,
  turns: [0],
  alone: false,
  selects: true,
  rate: ({ fps }) => fps,
  leastStall: 0,
  trial: 20,
  advice: null,
  missing: PATH_ADVICE,
  faults: () => [],
  create: ({ path, loop, fps }, surroundings) =>
    createFilesSource({
      paths: [path ?? ''],
      fps: rateOf(fps, surroundings),
      loop,
      clock: surroundings.clock,
      onNotice: surroundings.onNotice,
    }),
});

export interface FilesOptions {
  /** Picture files and folders; a folder stands for its pictures by name, without subfolders. */
  readonly paths: readonly string[];
  /** Pictures a second. */
  readonly fps: FrameRate;
  /** Starts over after the last picture (folders are read again). */
  readonly loop: boolean;
  readonly clock?: Clock;
  readonly onNotice?: SourceSurroundings['onNotice'];
}

/** Names of one folder that are looked at. */
const MAX_NAMES = 100_000;

/**
 * Shows pictures one after the other, as encoded bytes (`jpeg`). What is not a picture, is too large
 * or cannot be read is skipped; MND_CAMERA_MISSING when there is none at all.
 */
export function createFilesSource(options: FilesOptions): Source {
  const clock = options.clock ?? systemClock;
  return {
    async run(signal, onFrame) {
      const pacer = createPacer(clock, options.fps);
      let refused: string | null = null;
      const refuse = (name: string, reason: string): void => {
        refused ??= `${name}: ${reason}`;
        options.onNotice?.({
          kind: 'refused',
          key: `refused ${name}`,
          message: `a picture is left out: ${name}: ${reason}`,
        });
      };
      const stopped = () => codedError('MND_CAMERA_STOPPED', { subject: options.paths.join(', ') });
      try {
        do {
          let passed = 0;
          for (const path of await listFiles(options.paths)) {
            if (signal.aborted) return stopped();
            const { bytes, reason } = await readPicture(rawPath(path));
            if (bytes === null) {
              if (reason !== null) refuse(shownPath(path), reason);
              continue;
            }
            await pacer.next(signal);
            if (signal.aborted) return stopped();
            await onFrame({ ...encodedPicture(bytes), name: shownPath(path) });
            passed += 1;
          }
          if (passed === 0) return noPictures(options.paths, refused);
        } while (options.loop);
        // The last picture is shown as long as the others.
        await pacer.next(signal);
        if (signal.aborted) return stopped();
        return codedError('MND_CAMERA_ENDED', { subject: options.paths.join(', ') });
      } catch (error) {
        return codedError('MND_CAMERA_FAILED', { found: messageOf(error), cause: error });
      }
    },
  };
}

function noPictures(paths: readonly string[], refused: string | null): Error {
  return codedError('MND_CAMERA_MISSING', {
    subject: paths.join(', '),
    expected: `picture files (${READABLE_FORMATS}) or a folder of them`,
    found: refused ?? 'no picture that can be read',
  });
}

async function listFiles(paths: readonly string[]): Promise<BytePath[]> {
  const files: BytePath[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) files.push(...(await listFolder(path)));
    else if (found?.isFile()) files.push(bytePath(path));
  }
  return files;
}

const byName = new Intl.Collator('en', { numeric: true });

/** The visible files of a folder, `2.jpg` before `10.jpg`. */
async function listFolder(folder: string): Promise<BytePath[]> {
  const names: BytePath[] = [];
  for await (const { name, isFolder } of visibleEntries(bytePath(folder))) {
    if (isFolder) continue;
    names.push(name);
    if (names.length >= MAX_NAMES) break;
  }
  return names.sort(byName.compare).map((name) => join(bytePath(folder), name));
}
