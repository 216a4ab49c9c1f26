import { codedError } from '../../errors.js';

/** Bytes without a picture after which the stream is given up. */
const MAX_FOREIGN = 1024 * 1024;
const FIRST_CAPACITY = 256 * 1024;

/** The first three bytes of every JPEG. */
const START = Buffer.from([0xff, 0xd8, 0xff]);
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;

/** Markers without a length: TEM and RST0 to RST7. */
function standsAlone(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
}

/**
 * Cuts JPEG pictures out of a byte stream, whatever stands between them.
 *
 * A JPEG says by itself where it ends (ITU T.81, B.1.1): every segment has its length, and in the
 * compressed data only real markers follow an 0xff. So the boundaries of a multipart stream, which
 * cameras write in many dialects or not at all, are not needed, nor are its lengths; a thumbnail
 * inside a segment ends nothing. A picture that begins before the last one ended replaces it.
 */
export class JpegStreamReader {
  readonly #onPicture: (picture: Uint8Array) => void;
  readonly #maxBytes: number;
  #buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
  /** The picture, as far as it has come, is buffer[start, length); looked at up to `at`. */
  #start = 0;
  #at = 0;
  #length = 0;
  #state: 'between' | 'segment' | 'data' = 'between';
  #foreign = 0;
  #damaged = 0;

  /**
   * @param onPicture its bytes are valid until it returns
   * @param maxBytes of one picture; a larger one is passed over
   */
  constructor(onPicture: (picture: Uint8Array) => void, maxBytes: number) {
    this.#onPicture = onPicture;
    this.#maxBytes = maxBytes;
  }

  /** Pictures that were begun and not finished: damaged, or larger than may be. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Throws MND_FRAME_INVALID when the stream has no pictures; unusable then. */
  push(chunk: Uint8Array): void {
    this.#append(chunk);
    for (let more = true; more; ) {
      more = this.#state === 'between' ? this.#findStart() : this.#readMarker();
    }
    const isTooLong = this.#state !== 'between' && this.#length - this.#start > this.#maxBytes;
    if (isTooLong) this.#giveUp(this.#length);
  }

  #append(chunk: Uint8Array): void {
    if (this.#length + chunk.length > this.#buffer.length) {
      const kept = this.#buffer.subarray(this.#start, this.#length);
      const needed = kept.length + chunk.length;
      const isEnough = needed <= this.#buffer.length;
      const into = isEnough ? this.#buffer : Buffer.allocUnsafe(2 * needed);
      kept.copy(into);
      this.#buffer = into;
      this.#at -= this.#start;
      this.#length -= this.#start;
      this.#start = 0;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length += chunk.length;
  }

  /** Each step goes on as far as the bytes allow; false when it needs more of them. */
  #findStart(): boolean {
    const found = this.#buffer.subarray(0, this.#length).indexOf(START, this.#at);
    const position = found < 0 ? Math.max(this.#start, this.#length - 2) : found;
    this.#foreign += position - this.#start;
    if (this.#foreign > MAX_FOREIGN) {
      throw codedError('MND_FRAME_INVALID', {
        subject: 'picture stream',
        expected: 'JPEG pictures',
        found: `${this.#foreign} bytes without one`,
      });
    }
    this.#start = position;
    this.#at = position;
    if (found < 0) return false;
    this.#begin(found);
    return true;
  }

  #readMarker(): boolean {
    if (this.#state === 'data') this.#skipData();
    if (this.#at + 2 > this.#length) return false;
    if (this.#buffer[this.#at] !== 0xff) {
      this.#giveUp(this.#at);
      return true;
    }
    const marker = this.#buffer[this.#at + 1] ?? 0;
    // 0xff may be repeated before a marker.
    if (marker === 0xff) this.#at += 1;
    else if (marker === EOI) this.#end();
    else if (marker === SOI) {
      this.#damaged += 1;
      this.#begin(this.#at);
    } else if (standsAlone(marker)) this.#at += 2;
    else return this.#skipSegment(marker);
    return true;
  }

  #skipSegment(marker: number): boolean {
    if (this.#at + 4 > this.#length) return false;
    const size = this.#buffer.readUInt16BE(this.#at + 2);
    if (size < 2) {
      this.#giveUp(this.#at + 2);
      return true;
    }
    // Its end may not have come yet: the next look waits for it.
    this.#at += 2 + size;
    this.#state = marker === SOS ? 'data' : 'segment';
    return true;
  }

  /** Moves on to the next marker in compressed data, where 0xff00 is a byte and RSTn no end. */
  #skipData(): void {
    const seen = this.#buffer.subarray(0, this.#length);
    while (this.#at < this.#length) {
      const found = seen.indexOf(0xff, this.#at);
      this.#at = found < 0 ? this.#length : found;
      if (this.#at + 2 > this.#length) return;
      const next = seen[this.#at + 1] ?? 0;
      if (next !== 0 && !standsAlone(next)) return;
      this.#at += 2;
    }
  }

  #begin(position: number): void {
    this.#start = position;
    this.#at = position + 2;
    this.#state = 'segment';
  }

  #end(): void {
    const end = this.#at + 2;
    const picture = this.#buffer.subarray(this.#start, end);
    this.#foreign = 0;
    this.#state = 'between';
    this.#start = end;
    this.#at = end;
    this.#onPicture(picture);
  }

  #giveUp(position: number): void {
    this.#damaged += 1;
    this.#state = 'between';
    this.#start = position;
    this.#at = position;
  }
}
