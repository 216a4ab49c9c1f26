import t from 'tap';
import { tableLines } from '#mobilenetd/cli/rows.js';
import { formatTable } from '#mobilenetd/cli/table.js';
import { cutText, padText, textWidth, wrapText } from '#mobilenetd/cli/text-width.js';

t.test('places that a text takes on a terminal', async (t) => {
  for (const [text, width] of [
    ['person', 6],
    ['Haustür', 7],
    ['Haustu\u0308r', 7],
    ['玄関', 4],
    ['ガレージ', 8],
    ['현관', 4],
    ['🐕', 2],
    ['👩‍👧', 2],
    ['❤️', 2],
    ['°C ≥ µ', 6],
    ['ｆｕｌｌ', 8],
    ['', 0],
  ] as const) {
    t.equal(textWidth(text), width, text);
    t.equal(textWidth(padText(text, 10)), 10, `${text}, filled up`);
    t.ok(textWidth(cutText(text, 5)) <= 5, `${text}, cut`);
  }
  t.equal(cutText('玄関カメラ', 6), '玄関…');
  t.equal(cutText('👩‍👧👩‍👧👩‍👧', 5), '👩‍👧👩‍👧…');
});

t.test('columns stand under each other, whatever the names are', async (t) => {
  const names = ['front', '玄関', 'Haustu\u0308r', '🐕', 'a name that is far too long for it'];
  const { line } = tableLines<string>([
    { title: 'camera', width: 12, text: (name) => name },
    { title: 'x', width: 3, right: true, text: () => '7' },
  ]);
  for (const name of names) t.equal(textWidth(line(name)), 17, name);
  const lines = formatTable(
    ['camera', 'n'],
    names.map((name) => [name, '10']),
  )
    .split('\n')
    .slice(1);
  t.equal(new Set(lines.map(textWidth)).size, 1);
});

t.test('lines are broken between words, and begin under the text before', async (t) => {
  const text = 'camera front  offline: connect ECONNREFUSED 127.0.0.1:9';
  t.same(wrapText(text, 40, 14), [
    'camera front  offline: connect',
    '              ECONNREFUSED 127.0.0.1:9',
  ]);
  t.same(wrapText('              old, 3×', 40, 14), ['              old, 3×']);
  t.same(wrapText('a-word-that-is-longer', 5), ['a-word-that-is-longer']);
});
