import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';

interface Item {
  readonly name: string;
  readonly bytes: Buffer;
}
const {
  englishOf,
  itemsOf,
}: Record<'englishOf', (archive: Buffer) => Buffer> & Record<'itemsOf', (body: Buffer) => Item[]> =
  await import(resolve('scripts/deb/icu-data.mjs'));
const { inEnglish }: Record<'inEnglish', (binary: Buffer) => Buffer> = await import(
  resolve('scripts/deb/node.mjs')
);
const HEADER_BYTES = 32;

/** An archive as icupkg makes it, of items that hold their own names. */
function archiveOf(names: readonly string[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16LE(HEADER_BYTES);
  header.write('CmnD', 12, 'latin1');
  const table = Buffer.alloc(4 + 8 * names.length);
  table.writeUInt32LE(names.length);
  const texts = names.map((name) => Buffer.from(`icudt78l/${name}\0`));
  let place = table.length;
  for (const [index, text] of texts.entries()) {
    table.writeUInt32LE(place, 4 + 8 * index);
    place += text.length;
  }
  const body = [table, ...texts];
  for (const [index, name] of names.entries()) {
    const gap = -place & 15;
    table.writeUInt32LE(place + gap, 8 + 8 * index);
    const data = Buffer.from(`data of ${name}`.padEnd(40, '.'));
    body.push(Buffer.alloc(gap), data);
    place += gap + data.length;
  }
  return Buffer.concat([header, ...body]);
}

t.test('of ICU data only other languages are left out', async (t) => {
  const kept = [
    ...['cnvalias.icu', 'coll/en.res', 'coll/root.res', 'coll/ucadata.icu', 'curr/pool.res'],
    ...['en.res', 'en_001.res', 'en_GB.res', 'nfkc.nrm', 'pool.res', 'res_index.res', 'root.res'],
    ...['supplementalData.res', 'zone/tzdbNames.res', 'zoneinfo64.res'],
  ];
  const left = [
    ...['brkitr/cjdict.dict', 'brkitr/sent_el.brk', 'coll/zh.res', 'de.res', 'de_AT.res'],
    ...['gb18030-2022.cnv', 'lang/tok.res', 'rbnf/root.res', 'rfc3491.spp', 'sr_Latn_BA.res'],
    ...['translit/root.res', 'unames.icu', 'zh_Hant_HK.res'],
  ];
  const english = englishOf(archiveOf([...kept, ...left].sort()));
  const items = itemsOf(english.subarray(HEADER_BYTES));
  t.same(
    items.map(({ name }) => name),
    kept.sort().map((name) => `icudt78l/${name}`),
  );
  for (const [index, { name, bytes }] of items.entries()) {
    t.match(bytes.toString(), `data of ${kept[index]}`, name);
    const place = bytes.byteOffset - english.byteOffset - HEADER_BYTES;
    t.equal(place % 16, 0, `${name} begins at ${place}`);
  }
  t.throws(() => englishOf(Buffer.alloc(64)), /CmnD/);
});

/** What the program asks of ICU, and an addon that finds the functions of Node by their names. */
const PROGRAM = `
const Database = require('better-sqlite3');
const { version } = new Database(':memory:').prepare('select sqlite_version() as version').get();
const day = new Date(Date.UTC(2026, 10, 30, 9, 8, 7));
const zone = { timeZone: 'Europe/Vienna', dateStyle: 'full', timeStyle: 'short' };
console.log(JSON.stringify({
  british: new Intl.DateTimeFormat('en-GB', zone).format(day),
  german: new Intl.DateTimeFormat('de', zone).format(day),
  sorted: ['b10', 'Ä', 'b9', 'z'].sort(new Intl.Collator('en', { numeric: true }).compare),
  letters: [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment('👩‍👩‍👧é한')].length,
  plain: 'Ⅷé'.normalize('NFKD').length,
  host: new URL('http://münchen.de').host,
  wide: new TextDecoder('utf-16be', { fatal: true }).decode(new Uint8Array([0xfe, 0xff, 0, 65])),
  zones: Intl.supportedValuesOf('timeZone').length > 400,
  greek: /\\p{Script=Greek}/u.test('α'),
  sqlite: /^3\\./.test(version),
}));`;
const ANSWERS = {
  british: 'Monday, 30 November 2026 at 10:08',
  german: 'Monday, November 30, 2026 at 10:08 AM',
  sorted: ['Ä', 'b9', 'b10', 'z'],
  letters: 3,
  plain: 6,
  host: 'xn--mnchen-3ya.de',
  wide: 'A',
  zones: true,
  greek: true,
  sqlite: true,
};

const variables: Record<string, unknown> = { ...process.config.variables };
const carriesAll = variables.icu_small === false && process.platform === 'linux';
t.test(
  'Node works without',
  { skip: !carriesAll && 'this Node has no ICU of its own' },
  async (t) => {
    const small = join(t.testdir(), 'node');
    writeFileSync(small, inEnglish(readFileSync(process.execPath)));
    chmodSync(small, 0o755);
    const saved = statSync(process.execPath).size - statSync(small).size;
    t.ok(saved > 25e6, `${saved} bytes less`);
    const done = spawnSync(small, ['-e', PROGRAM], { encoding: 'utf8', env: { LANG: 'C.UTF-8' } });
    t.equal(done.stderr, '');
    t.same(JSON.parse(done.stdout || 'null'), ANSWERS);
    t.equal(done.status, 0);
  },
);
