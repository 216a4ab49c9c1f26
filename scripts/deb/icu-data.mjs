// ICU's data as Node has it with `--with-intl=small-icu`: in English alone. Of 33 MB in Node's binary 4 stay.
// The archive's form is that of ICU's tool icupkg (unicode/udata.h and common/ucmndata.h of ICU4C):
//   header  u16 bytes of it, 0xda 0x27, UDataInfo whose data format is 'CmnD'
//   table   u32 items, then for each u32 place of its name and u32 place of its data, from the table on
//   names   each ended by a zero, sorted, which is how an item is found
//   data    each item at a multiple of 16

const FORMAT_AT = 12;
const ALIGNMENT = 16;
/** Languages of texts, dates, sorting and names of things. Without those of a language ICU takes its root's. */
const KEPT_LANGUAGES = ['root', 'en'];
/** Encodings but UTF-8, UTF-16 and Latin 1, words of languages without blanks, transliteration, spelled numbers. */
const NEVER_USED =
  /\.(cnv|spp|dict|cfu)$|^(translit|rbnf)\/|^unames\.icu$|^brkitr\/.*_(cj|el|POSIX)\.brk$/;
/** `de`, `tok`, `zh_Hant_HK`, `en_001`; what all languages share (`pool`, `zoneinfo64`) is longer or has no `_`. */
const LANGUAGE = /^(?:[a-z]+\/)?([a-z]{2,3}|root)(?:_[A-Z0-9]\w*)?\.res$/;

/**
 * The same archive with the items that an English program uses.
 *
 * @param archive bytes from its header on, to its end. @throws Error when it is no such archive
 * @returns a new Buffer, shorter
 */
export function englishOf(archive) {
  const headerBytes = archive.readUInt16LE(0);
  if (archive.toString('latin1', FORMAT_AT, FORMAT_AT + 4) !== 'CmnD') {
    throw new Error('expected ICU data (format CmnD), found something else');
  }
  const kept = itemsOf(archive.subarray(headerBytes)).filter(({ name }) => isKept(name));
  return Buffer.concat([archive.subarray(0, headerBytes), pack(kept)]);
}

/** @returns name and bytes of each, in the archive's order */
export function itemsOf(body) {
  const places = Array.from({ length: body.readUInt32LE(0) }, (_, index) => ({
    name: body.readUInt32LE(4 + 8 * index),
    data: body.readUInt32LE(8 + 8 * index),
  }));
  return places.map(({ name, data }, index) => ({
    name: body.toString('latin1', name, body.indexOf(0, name)),
    bytes: body.subarray(data, places[index + 1]?.data ?? body.length),
  }));
}

/** @param name with the archive's own before it: `icudt78l/coll/de.res` */
function isKept(name) {
  const item = name.slice(name.indexOf('/') + 1);
  if (NEVER_USED.test(item)) return false;
  const language = LANGUAGE.exec(item)?.[1];
  return language === undefined || KEPT_LANGUAGES.includes(language);
}

function pack(items) {
  const table = Buffer.alloc(4 + 8 * items.length);
  table.writeUInt32LE(items.length);
  const names = items.map(({ name }) => Buffer.from(`${name}\0`, 'latin1'));
  const parts = [table, ...names];
  let place = table.length;
  for (const [index, name] of names.entries()) {
    table.writeUInt32LE(place, 4 + 8 * index);
    place += name.length;
  }
  for (const [index, { bytes }] of items.entries()) {
    const gap = -place & (ALIGNMENT - 1);
    table.writeUInt32LE(place + gap, 8 + 8 * index);
    parts.push(Buffer.alloc(gap), bytes);
    place += gap + bytes.length;
  }
  return Buffer.concat(parts);
}
