import type { InstallProgress, OnProgress } from '../models/shelf.js';

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
  now: () => number = () => performance.now(),
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
