import { renameSync, writeFileSync } from 'node:fs';
import { messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import { readSmallText } from '../../small-file.js';

export interface RetainedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
}

/** Pictures are not kept: they would be written to the card again and again. */
const MAX_PAYLOAD = 64 * 1024;
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/**
 * Retained messages in a file, one JSON line `[topic, qos, base64]` each. A file that cannot be read
 * or written is reported and otherwise ignored: retained messages are a convenience.
 */
export function createRetainedFile(
  file: string,
  log: Log,
): { read(): RetainedMessage[]; write(messages: readonly RetainedMessage[]): void } {
  return {
    read() {
      try {
        const text = readSmallText(file, MAX_FILE_BYTES);
        return text.split('\n').flatMap(parseLine);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
          log.warn({ file }, `retained messages cannot be read: ${messageOf(error)}`);
        }
        return [];
      }
    },
    write(messages) {
      const lines = messages
        .filter(({ payload }) => payload.length <= MAX_PAYLOAD)
        .map(({ topic, qos, payload }) => JSON.stringify([topic, qos, payload.toString('base64')]));
      try {
        writeFileSync(`${file}.part`, `${lines.join('\n')}\n`, { mode: 0o600 });
        renameSync(`${file}.part`, file);
      } catch (error) {
        log.warn({ file }, `retained messages cannot be written: ${messageOf(error)}`);
      }
    },
  };
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
