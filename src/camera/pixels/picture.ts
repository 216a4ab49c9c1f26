import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { messageOf } from '../../errors.js';
import { identifyPicture, SIGNATURE_BYTES } from '../../vision/decode-format.js';
import { JpegStreamReader } from './jpeg-stream.js';

/** True when the first bytes are those of a kind of picture that is read. */
export function looksLikePicture(bytes: Uint8Array): boolean {
  return identifyPicture(bytes)?.readable === true;
}

/** Bytes a picture file may have. */
export const MAX_PICTURE_BYTES = 32 * 1024 * 1024;

/** False when a JPEG or PNG has no end: most likely it is still being written. Others count as whole. */
export function looksWhole(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // PNG, 11.2.5.
  if (buffer[0] === 0x89) return buffer.lastIndexOf('IEND') >= 0;
  if (buffer[0] !== 0xff) return true;
  // What stands behind the end, such as a second picture or a film, does not matter.
  let ends = false;
  const reader = new JpegStreamReader(() => {
    ends = true;
  }, Number.POSITIVE_INFINITY);
  reader.push(buffer);
  return ends;
}

/** A picture file, or why it is none; null as the reason stands for a file that nobody takes for one. */
export type PictureFile =
  | { readonly bytes: Uint8Array; readonly reason?: undefined }
  | { readonly bytes: null; readonly reason: string | null };

/**
 * Reads a picture file. What it is, its size and its first bytes are looked at before it is read; a
 * pipe or a device is not even opened. Never rejects.
 */
export async function readPicture(
  path: string | Buffer,
  maxBytes = MAX_PICTURE_BYTES,
): Promise<PictureFile> {
  const none = (reason: string | null): PictureFile => ({ bytes: null, reason });
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile() || found.size < SIGNATURE_BYTES) return none(null);
  // O_NONBLOCK: it may have become a pipe since.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: unknown) => messageOf(error));
  if (typeof file === 'string') return none(file);
  try {
    const status = await file.stat();
    const { size } = status;
    if (!status.isFile() || size < SIGNATURE_BYTES) return none(null);
    const head = new Uint8Array(SIGNATURE_BYTES);
    await file.read(head, 0, SIGNATURE_BYTES, 0);
    const format = identifyPicture(head);
    if (format === null) return none(null);
    if (!format.readable) return none(`${format.name}, which is not read; ${format.next}`);
    if (size > maxBytes) {
      return none(`${Math.round(size / 1e6)} MB; pictures may have ${Math.round(maxBytes / 1e6)}`);
    }
    const bytes = new Uint8Array(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return { bytes: bytes.subarray(0, bytesRead) };
  } catch (error) {
    return none(messageOf(error));
  } finally {
    await file.close().catch(() => {});
  }
}
