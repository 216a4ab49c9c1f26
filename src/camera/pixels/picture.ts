import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { identifyPicture, SIGNATURE_BYTES } from '../../vision/decode-format.js';

/** True when the first bytes are those of a kind of picture that is read. */
export function looksLikePicture(bytes: Uint8Array): boolean {
  return identifyPicture(bytes)?.readable === true;
}

/** Bytes a picture file may have. */
export const MAX_PICTURE_BYTES = 32 * 1024 * 1024;

/** Bytes at the end of a file in which its end mark is looked for. */
const TAIL_BYTES = 4096;

/**
 * False when a JPEG or PNG has no end mark: most likely it is still being written. Other encodings
 * are taken for whole.
 */
export function looksWhole(bytes: Uint8Array): boolean {
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(-TAIL_BYTES);
  // JPEG (ITU T.81, B.1.1.3): EOI; PNG, 11.2.5: IEND.
  if (bytes[0] === 0xff) return tail.includes(Buffer.from([0xff, 0xd9]));
  return bytes[0] !== 0x89 || tail.includes('IEND');
}

/**
 * The bytes of a picture file; null when it is something else, cannot be read or is larger than
 * `maxBytes`. Only its first bytes are read of a file that is no picture.
 */
export async function readPicture(
  path: string,
  maxBytes = MAX_PICTURE_BYTES,
): Promise<Uint8Array | null> {
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => null);
  if (file === null) return null;
  try {
    const status = await file.stat();
    const { size } = status;
    if (!status.isFile() || size < SIGNATURE_BYTES || size > maxBytes) return null;
    const head = new Uint8Array(SIGNATURE_BYTES);
    await file.read(head, 0, SIGNATURE_BYTES, 0);
    if (!looksLikePicture(head)) return null;
    const bytes = new Uint8Array(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  } catch {
    return null;
  } finally {
    await file.close().catch(() => {});
  }
}
