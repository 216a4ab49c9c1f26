import type { Random } from '../random.js';

const NUMBERS = [
  0, 1, 2, 4, 8, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
];

type Mutation = (file: Uint8Array, random: Random) => Uint8Array;

const at = (file: Uint8Array, random: Random, width: number) =>
  random(Math.max(1, file.length - width + 1));

const view = (file: Uint8Array) => new DataView(file.buffer, file.byteOffset, file.byteLength);

const MUTATIONS: readonly Mutation[] = [
  (file, random) => {
    const position = at(file, random, 1);
    file[position] = (file[position] ?? 0) ^ (1 << random(8));
    return file;
  },
  (file, random) => {
    file[at(file, random, 1)] = random(256);
    return file;
  },
  (file, random) => {
    if (file.length < 4) return file;
    view(file).setUint32(at(file, random, 4), NUMBERS[random(NUMBERS.length)] ?? 0, true);
    return file;
  },
  (file, random) => {
    if (file.length < 4) return file;
    const position = at(file, random, 4) & ~3;
    if (position + 4 > file.length) return file;
    const number = view(file).getInt32(position, true) + random(33) - 16;
    view(file).setInt32(position, number, true);
    return file;
  },
  (file, random) => {
    const length = random(64);
    file.copyWithin(at(file, random, length), at(file, random, length), random(file.length));
    return file;
  },
  (file, random) => file.subarray(0, random(file.length)),
  (file, random) => {
    file.fill(random(2) * 255, at(file, random, 1), at(file, random, 1));
    return file;
  },
  (file, random) => {
    // A part twice: lists grow, and what follows them moves.
    const start = at(file, random, 1);
    const part = file.subarray(start, start + random(200));
    const grown = new Uint8Array(file.length + part.length);
    grown.set(file.subarray(0, start));
    grown.set(part, start);
    grown.set(file.subarray(start), start + part.length);
    return grown;
  },
];

/** A damaged copy of a file: one to four mutations, most of which leave its length. */
export function mutateBytes(file: Uint8Array, random: Random): Uint8Array {
  let copy: Uint8Array = new Uint8Array(file);
  for (let count = 1 + random(4); count > 0; count -= 1) {
    const mutation = MUTATIONS[random(8) === 0 ? random(MUTATIONS.length) : random(4)];
    if (mutation !== undefined) copy = mutation(copy, random);
  }
  return copy;
}

const VALUES: readonly unknown[] = [
  null,
  true,
  '',
  '0',
  '../x',
  'concat',
  0,
  1,
  -1,
  3,
  0.5,
  1e9,
  1e300,
  2 ** 53,
  [],
  [1],
  [1e6, 1e6],
  {},
  { i: '99999999999' },
];

type Container = Record<string, unknown> | unknown[];

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** A copy of a JSON document with one to three values exchanged, doubled or taken out. */
export function mutateJson(document: unknown, random: Random): unknown {
  const copy: unknown = structuredClone(document);
  for (let count = 1 + random(3); count > 0; count -= 1) {
    let here = copy;
    for (let depth = 1 + random(9); depth > 0 && isContainer(here); depth -= 1) {
      const keys = Object.keys(here);
      const key = keys[random(keys.length)] ?? '';
      const inner: unknown = Reflect.get(here, key);
      if (depth === 1 || !isContainer(inner)) changeEntry(here, key, random);
      here = inner;
    }
  }
  return copy;
}

function changeEntry(container: Container, key: string, random: Random): void {
  const choice = random(8);
  const value: unknown = Reflect.get(container, key);
  if (choice === 0) Reflect.deleteProperty(container, key);
  else if (choice === 1 && Array.isArray(container)) container.push(structuredClone(value));
  else if (choice === 2 && typeof value === 'number')
    Reflect.set(container, key, value + random(5) - 2);
  else if (choice === 3) {
    // Another entry's value: names and shapes that exist, in the wrong place.
    const keys = Object.keys(container);
    const other: unknown = Reflect.get(container, keys[random(keys.length)] ?? key);
    Reflect.set(container, key, structuredClone(other));
  } else Reflect.set(container, key, structuredClone(VALUES[random(VALUES.length)]));
}
