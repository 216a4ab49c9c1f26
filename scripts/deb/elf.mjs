// Leaves bytes out of a program that is linked already: what lies behind them keeps its address in memory, and
// moves in the file alone. Little-endian ELF of 64 bits (elf(5)), as both architectures have it.

/** Places in the header of the file, in a row of its program headers, in one of its sections. */
const FILE = { programs: 32, sections: 40, programCount: 56, sectionCount: 60 };
const PROGRAM = {
  kind: 0,
  offset: 8,
  address: 16,
  physical: 24,
  bytes: 32,
  memory: 40,
  alignment: 48,
};
const SECTION = { kind: 4, address: 16, offset: 24, bytes: 32, link: 40 };
const SYMBOL = { bytes: 24, name: 0, address: 8, size: 16 };
const PROGRAM_BYTES = 56;
const SECTION_BYTES = 64;
const LOAD = 1;
const NOTE = 4;
const EXPORTED_SYMBOLS = 11;
/** Larger pages of memory have no kernel for these machines. */
const PAGE = 0x10000;

/** Where what a program exports by a name like `pattern` lies in its file, and how many bytes it has. */
export function placeOf(file, pattern) {
  const sections = sectionsOf(file);
  const table = sections.find((each) => each.readUInt32LE(SECTION.kind) === EXPORTED_SYMBOLS);
  if (table === undefined) throw new Error('expected symbols for linking (.dynsym), found none');
  const names = read(sections[table.readUInt32LE(SECTION.link)], SECTION.offset);
  const from = read(table, SECTION.offset);
  for (const symbol of rows(file, from, SYMBOL.bytes, read(table, SECTION.bytes) / SYMBOL.bytes)) {
    const name = names + symbol.readUInt32LE(SYMBOL.name);
    if (!pattern.test(file.toString('latin1', name, file.indexOf(0, name)))) continue;
    const address = read(symbol, SYMBOL.address);
    const segment = programsOf(file).find(
      (each) => isLoad(each) && contains(each, PROGRAM.address, address),
    );
    const offset = address - read(segment, PROGRAM.address) + read(segment, PROGRAM.offset);
    return { offset, bytes: read(symbol, SYMBOL.size) };
  }
  throw new Error(`expected a symbol like ${pattern}, found none`);
}

/**
 * A copy of a program without whole pages of a part of its file, which is no part of it in memory either then. The
 * part must lie within one segment and one section. What follows needs a row in the table of segments; the note
 * of the build gives its own (its section stays, where debuggers look as well).
 *
 * @param from, to offsets in the file
 */
export function without(file, from, to) {
  const programs = programsOf(file).map((row) => Buffer.from(row));
  const sections = sectionsOf(file).map((row) => Buffer.from(row));
  const segment = programs.findIndex(
    (each) => isLoad(each) && contains(each, PROGRAM.offset, from),
  );
  const note = programs.findIndex((each) => each.readUInt32LE(PROGRAM.kind) === NOTE);
  const section = sections.findIndex(
    (each) => contains(each, SECTION.offset, from) && contains(each, SECTION.offset, to - 1),
  );
  if (segment < 0 || note < 0 || section < 0)
    throw new Error('expected a segment, a section and a note');
  const start = Math.ceil(from / PAGE) * PAGE;
  // Offset and address stay alike in their last digits, as the kernel maps them.
  const step = Math.max(PAGE, read(programs[segment], PROGRAM.alignment));
  const gap = Math.floor((to - start) / step) * step;
  if (gap <= 0) return Buffer.from(file);

  const behind = splitAt(programs[segment], PROGRAM, start, gap);
  programs.splice(segment + 1, 0, behind);
  programs.splice(note < segment ? note : note + 1, 1);
  // At the end: symbols name their sections by number.
  sections.push(splitAt(sections[section], SECTION, start, gap));
  for (const row of programs) move(row, PROGRAM.offset, start, gap);
  for (const row of sections) move(row, SECTION.offset, start, gap);

  const body = Buffer.concat([file.subarray(0, start), file.subarray(start + gap)]);
  const pad = Buffer.alloc(-body.length & 7);
  Buffer.concat(programs).copy(body, read(file, FILE.programs));
  write(body, FILE.sections, body.length + pad.length);
  body.writeUInt16LE(sections.length, FILE.sectionCount);
  return Buffer.concat([body, pad, ...sections]);
}

/** Ends a row at `start` and returns one for what comes `gap` later. */
function splitAt(row, at, start, gap) {
  const before = start - read(row, at.offset);
  const behind = Buffer.from(row);
  for (const place of [at.offset, at.address, at.physical]) {
    if (place !== undefined) write(behind, place, read(row, place) + before + gap);
  }
  for (const place of [at.bytes, at.memory]) {
    if (place === undefined) continue;
    write(behind, place, read(row, place) - before - gap);
    write(row, place, before);
  }
  return behind;
}

function move(row, place, start, gap) {
  if (read(row, place) >= start + gap) write(row, place, read(row, place) - gap);
}

function programsOf(file) {
  return rows(file, read(file, FILE.programs), PROGRAM_BYTES, file.readUInt16LE(FILE.programCount));
}

function sectionsOf(file) {
  return rows(file, read(file, FILE.sections), SECTION_BYTES, file.readUInt16LE(FILE.sectionCount));
}

function rows(file, from, bytes, count) {
  return Array.from({ length: count }, (_, index) =>
    file.subarray(from + index * bytes, from + (index + 1) * bytes),
  );
}

function isLoad(program) {
  return program.readUInt32LE(PROGRAM.kind) === LOAD;
}

/** Whether a row covers an offset or an address; sections and segments have their size at the same place. */
function contains(row, place, value) {
  const from = read(row, place);
  return from <= value && value < from + read(row, PROGRAM.bytes);
}

function read(row, at) {
  return Number(row.readBigUInt64LE(at));
}

function write(row, at, value) {
  row.writeBigUInt64LE(BigInt(value), at);
}
