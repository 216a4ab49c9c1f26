import { closeSync, openSync, readSync } from 'node:fs';

/** The first `limit` bytes of a file (also of a device or a pipe, which have no size). */
export function readBounded(file: string, limit: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(limit);
    let length = 0;
    while (length < limit) {
      const read = readSync(descriptor, bytes, length, limit - length, null);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}
