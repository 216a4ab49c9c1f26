import { ByteBuffer } from 'flatbuffers';
import { codedError } from '../../errors.js';

/** A table inside a flatbuffer: its position in bytes, already checked. */
export interface Table {
  readonly position: number;
}

/** Elements of a vector: position of the first one, and how many there are. */
export interface Vector {
  readonly start: number;
  readonly length: number;
}

/**
 * Access to an untrusted flatbuffer. Every position is checked before it is read, and the bytes that
 * are copied out are counted: parts of a flatbuffer may be shared, so a small file could otherwise
 * describe a huge one. Fields are given by their number in the schema.
 */
export interface FlatbufferReader {
  root(): Table;
  uint8(table: Table, field: number, fallback: number): number;
  int8(table: Table, field: number, fallback: number): number;
  int32(table: Table, field: number, fallback: number): number;
  uint32(table: Table, field: number, fallback: number): number;
  float32(table: Table, field: number, fallback: number): number;
  uint64(table: Table, field: number): bigint;
  table(table: Table, field: number): Table | null;
  tables(table: Table, field: number): Table[];
  string(table: Table, field: number): string;
  int32s(table: Table, field: number): number[];
  int64s(table: Table, field: number): number[];
  float32s(table: Table, field: number): number[];
  /** The bytes of a vector of bytes: a view, not a copy. Null if the field is absent. */
  bytes(table: Table, field: number): Uint8Array | null;
}

/** Longest name that is kept; the rest of a longer one is dropped. */
const NAME_LIMIT = 256;

/** A table's bookkeeping in this process, for the budget. */
const TABLE_COST = 64;

function truncated(offset: number, size: number): Error {
  return codedError('MND_MODEL_TRUNCATED', {
    subject: 'TFLite file',
    expected: `data at offset ${offset}`,
    found: `${size} bytes in all`,
    next: 'fetch the file again',
  });
}

function damaged(what: string, offset: number): Error {
  return codedError('MND_MODEL_INVALID', {
    subject: 'TFLite file',
    found: `${what} at offset ${offset}`,
  });
}

/**
 * Opens a flatbuffer whose file identifier must be `identifier` (four characters at offset 4).
 *
 * Throws MND_MODEL_INVALID for another kind of file and for damaged structure, MND_MODEL_TRUNCATED
 * for anything that points behind the end; so do all methods of the result.
 */
export function openFlatbuffer(file: Uint8Array, identifier: string): FlatbufferReader {
  const size = file.byteLength;
  const buffer = new ByteBuffer(file);
  const decoder = new TextDecoder();
  let budget = 2 * size + 4096;

  function check(position: number, length: number): number {
    if (position < 0 || !Number.isSafeInteger(position)) throw damaged('a bad offset', position);
    if (position + length > size) throw truncated(position + length, size);
    return position;
  }

  function charge(bytes: number, position: number): void {
    budget -= bytes;
    if (budget < 0) throw damaged('more content than the file can hold', position);
  }

  function tableAt(position: number): Table {
    check(position, 4);
    const vtable = check(position - buffer.readInt32(position), 4);
    const vtableSize = buffer.readUint16(vtable);
    if (vtableSize < 4 || vtableSize % 2 !== 0) throw damaged('a bad table', position);
    check(vtable, vtableSize);
    return { position };
  }

  /** Position of a field's value, or 0 if the table does not have it. */
  function fieldAt({ position }: Table, field: number, length: number): number {
    const vtable = position - buffer.readInt32(position);
    const entry = 4 + 2 * field;
    if (entry + 2 > buffer.readUint16(vtable)) return 0;
    const offset = buffer.readUint16(vtable + entry);
    return offset === 0 ? 0 : check(position + offset, length);
  }

  function follow(position: number): number {
    const offset = buffer.readUint32(position);
    if (offset === 0) throw damaged('a null offset', position);
    return check(position + offset, 4);
  }

  function vectorOf(table: Table, field: number, elementSize: number): Vector | null {
    const position = fieldAt(table, field, 4);
    if (position === 0) return null;
    const start = follow(position);
    const length = buffer.readUint32(start);
    check(start + 4, length * elementSize);
    return { start: start + 4, length };
  }

  function list<T>(
    table: Table,
    field: number,
    elementSize: number,
    read: (position: number) => T,
  ): T[] {
    const vector = vectorOf(table, field, elementSize);
    if (vector === null) return [];
    charge(vector.length * elementSize, vector.start);
    return Array.from({ length: vector.length }, (_, index) =>
      read(vector.start + index * elementSize),
    );
  }

  function scalar<T>(
    length: number,
    read: (position: number) => T,
  ): (table: Table, field: number, fallback: T) => T {
    return (table, field, fallback) => {
      const position = fieldAt(table, field, length);
      return position === 0 ? fallback : read(position);
    };
  }

  if (size < 8) throw truncated(8, size);
  const found = decoder.decode(file.subarray(4, 8));
  if (found !== identifier) {
    throw codedError('MND_MODEL_INVALID', {
      subject: 'TFLite file',
      expected: `the identifier ${identifier} at offset 4`,
      found: JSON.stringify(found),
    });
  }

  return {
    root: () => tableAt(follow(0)),
    uint8: scalar(1, (position) => buffer.readUint8(position)),
    int8: scalar(1, (position) => buffer.readInt8(position)),
    int32: scalar(4, (position) => buffer.readInt32(position)),
    uint32: scalar(4, (position) => buffer.readUint32(position)),
    float32: scalar(4, (position) => buffer.readFloat32(position)),
    uint64: (table, field) => scalar(8, (at) => buffer.readUint64(at))(table, field, 0n),
    table(table, field) {
      const position = fieldAt(table, field, 4);
      return position === 0 ? null : tableAt(follow(position));
    },
    tables(table, field) {
      return list(table, field, 4, (position) => {
        charge(TABLE_COST, position);
        return tableAt(follow(position));
      });
    },
    string(table, field) {
      const vector = vectorOf(table, field, 1);
      if (vector === null) return '';
      const length = Math.min(vector.length, NAME_LIMIT);
      charge(length, vector.start);
      return decoder.decode(file.subarray(vector.start, vector.start + length));
    },
    int32s: (table, field) => list(table, field, 4, (position) => buffer.readInt32(position)),
    int64s: (table, field) => list(table, field, 8, (at) => Number(buffer.readInt64(at))),
    float32s: (table, field) => list(table, field, 4, (position) => buffer.readFloat32(position)),
    bytes(table, field) {
      const vector = vectorOf(table, field, 1);
      return vector === null ? null : file.subarray(vector.start, vector.start + vector.length);
    },
  };
}
