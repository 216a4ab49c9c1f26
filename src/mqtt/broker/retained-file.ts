import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { messageOf } from '../../errors.js';
import type { Log } from '../../log.js';

export interface RetainedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
}

/** Pictures are not kept: they would be written to the card again and again. */
const MAX_PAYLOAD = 64 * 1024;
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/**
 * Retained messages in a file, one JSON line `[topic, qos, base64]` each. A file that cannot be read
 * or written is reported and otherwise ignored: retained messages are a convenience. Not more than
 * 16 MiB are written or read, the rest is left out and told.
 */
export function createRetainedFile(
  file: string,
  log: Log,
): { read(): RetainedMessage[]; write(messages: readonly RetainedMessage[]): void } {
  return {
    read() {
      try {
        const { text, whole } = readBounded(file);
        if (!whole) {
          log.warn({ file }, `retained messages beyond ${MAX_FILE_BYTES} bytes are not restored`);
        }
        return text.split('\n').flatMap(parseLine);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
          log.warn({ file }, `retained messages cannot be read: ${messageOf(error)}`);
        }
        return [];
      }
    },
    write(messages) {
      const lines: string[] = [];
      let bytes = 0;
      let left = 0;
      for (const { topic, qos, payload } of messages) {
        if (payload.length > MAX_PAYLOAD) continue;
        const line = JSON.stringify([topic, qos, payload.toString('base64')]);
        bytes += Buffer.byteLength(line) + 1;
        if (bytes > MAX_FILE_BYTES) left += 1;
        else lines.push(line);
      }
      if (left > 0) log.warn({ file, left }, `${left} retained messages do not outlive a restart`);
      try {
        writeFileSync(`${file}.part`, `${lines.join('\n')}\n`, { mode: 0o600 });
        renameSync(`${file}.part`, file);
      } catch (error) {
        log.warn({ file }, `retained messages cannot be written: ${messageOf(error)}`);
      }
    },
  };
}

/** The beginning of a file, at most {@link MAX_FILE_BYTES}. */
function readBounded(file: string): { readonly text: string; readonly whole: boolean } {
  const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(handle);
    if (!found.isFile()) throw new Error(`${file} is no file`);
    const { size } = found;
    const buffer = Buffer.alloc(Math.min(size, MAX_FILE_BYTES));
    const read = readSync(handle, buffer, 0, buffer.length, 0);
    return { text: buffer.toString('utf8', 0, read), whole: size <= MAX_FILE_BYTES };
  } finally {
    closeSync(handle);
  }
}

function parseLine(line: string): RetainedMessage[] {
  if (line === '') return [];
  try {
    const [topic, qos, payload] = JSON.parse(line);
    if (typeof topic !== 'string' || typeof payload !== 'string' || /[+#]/.test(topic)) return [];
    return [{ topic, qos: qos === 0 ? 0 : 1, payload: Buffer.from(payload, 'base64') }];
  } catch {
    return [];
  }
}
