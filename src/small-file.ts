import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/**
 * The bytes of a file that is small by its nature. What is no file (a pipe would hang, a device never
 * end) or larger than `limit` bytes is not read: the wrong file was named, or somebody filled it.
 *
 * @throws what the system says, or an error that says what was found
 */
export function readSmallFile(file: string, limit: number): Buffer {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) throw new Error(`${file} is no file`);
    // Files of the kernel say that they have no bytes.
    const bytes = Buffer.allocUnsafe(limit + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= limit; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    }
    if (length > limit) throw new Error(`${file} is larger than ${limit} bytes`);
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** {@link readSmallFile}, as text. */
export function readSmallText(file: string, limit: number): string {
  return readSmallFile(file, limit).toString('utf8');
}
