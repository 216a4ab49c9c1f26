/** What a picture of an event is of, kept inside the file as a JPEG comment. */
export interface PictureNote {
  readonly label: string;
  readonly score: number;
  /** Wall time of the frame, ms. */
  readonly time: number;
  /** Of the frame, pixels: what the box is measured in, however small the picture was made. */
  readonly width: number;
  readonly height: number;
  readonly box: readonly [number, number, number, number] | null;
}

/** Start of a JPEG, and the marker of a comment (ITU-T T.81, B.1.1.3). */
const SOI = Buffer.from([0xff, 0xd8]);
const COM = 0xfe;
const MAX_NOTE = 4096;

/** Bytes at the beginning of a picture that hold all of its note. */
export const NOTE_REACH = MAX_NOTE + 6;

/** A JPEG with a note behind its start. */
export function withNote(jpeg: Uint8Array, note: PictureNote): Buffer {
  const text = Buffer.from(JSON.stringify(note)).subarray(0, MAX_NOTE);
  const head = Buffer.from([0xff, COM, 0, 0]);
  head.writeUInt16BE(text.length + 2, 2);
  return Buffer.concat([SOI, head, text, jpeg.subarray(2)]);
}

/** The note that {@link withNote} put there; null: another program wrote the file. */
export function noteOf(jpeg: Buffer): PictureNote | null {
  if (jpeg.length < 6 || jpeg[2] !== 0xff || jpeg[3] !== COM) return null;
  try {
    const note: unknown = JSON.parse(jpeg.subarray(6, 4 + jpeg.readUInt16BE(4)).toString());
    return isNote(note) ? note : null;
  } catch {
    return null;
  }
}

function isNote(value: unknown): value is PictureNote {
  if (typeof value !== 'object' || value === null) return false;
  const numbers = ['score', 'time', 'width', 'height'];
  const fields = new Map(Object.entries(value));
  return numbers.every((name) => typeof fields.get(name) === 'number');
}
