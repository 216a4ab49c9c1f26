import type { InstallProgress, OnProgress } from '../models/shelf.js';
import { systemClock } from '../time.js';

const WIDTH = 24;
const MIN_INTERVAL_MS = 100;

export interface ProgressBar {
  readonly onProgress: OnProgress;
  /** Takes the bar off the screen. */
  clear(): void;
}

/** One line on a terminal that follows an installation; nothing where there is no terminal. */
export function createProgressBar(
  stream: NodeJS.WritableStream,
  now: () => number = systemClock.now,
): ProgressBar {
  if (!('isTTY' in stream) || stream.isTTY !== true) {
    return { onProgress: () => undefined, clear: () => undefined };
  }
  let drawn = Number.NEGATIVE_INFINITY;
  let stage = '';
  return {
    onProgress(progress) {
      const key = `${progress.model} ${progress.stage}`;
      if (key === stage && now() - drawn < MIN_INTERVAL_MS) return;
      stage = key;
      drawn = now();
      stream.write(`\r\u001b[K${progressText(progress)}`);
    },
    clear() {
      if (stage !== '') stream.write('\r\u001b[K');
      stage = '';
    },
  };
}

/** E.g. `mobilenet_v1_0.5_160_quant  download  [########        ]  1.2 of 3.6 MB`. */
export function progressText({ model, stage, received, total }: InstallProgress): string {
  const head = `${model}  ${stage}`;
  if (received === undefined) return `${head} …`;
  const mega = (bytes: number) => (bytes / 1e6).toFixed(1);
  if (!total) return `${head}  ${mega(received)} MB`;
  const filled = Math.round(Math.min(1, received / total) * WIDTH);
  const bar = '#'.repeat(filled).padEnd(WIDTH);
  return `${head}  [${bar}]  ${mega(received)} of ${mega(total)} MB`;
}

export interface ProgressLine {
  /** The next piece of work begins, of this name. */
  begin(name: string): void;
  /** How much of it is done, 0 to 1. */
  at(part: number): void;
  /** Takes the line off the screen. */
  clear(): void;
}

/** One line on a terminal for so many pieces of work; nothing where there is no terminal. */
export function createProgressLine(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number },
  pieces: number,
  now: () => number = systemClock.now,
): ProgressLine {
  if (stream.isTTY !== true) {
    return { begin: () => undefined, at: () => undefined, clear: () => undefined };
  }
  let drawn = Number.NEGATIVE_INFINITY;
  let begun = 0;
  let name = '';
  const draw = (part: number) => {
    drawn = now();
    const done = Math.round(((begun - 1 + part) / Math.max(1, pieces)) * WIDTH);
    const text = `[${'#'.repeat(done).padEnd(WIDTH)}]  ${begun} of ${pieces}  ${name}`;
    stream.write(`\r\u001b[K${text.slice(0, (stream.columns ?? 80) - 1)}`);
  };
  return {
    begin(next) {
      begun += 1;
      name = next;
      if (now() - drawn >= MIN_INTERVAL_MS) draw(0);
    },
    at(part) {
      if (now() - drawn >= MIN_INTERVAL_MS) draw(part);
    },
    clear() {
      if (begun > 0) stream.write('\r\u001b[K');
    },
  };
}
