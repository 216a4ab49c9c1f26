import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface Wrapping {
  wrapLines(text: string): string;
  longLines(text: string): readonly { readonly line: number; readonly length: number }[];
  documents(): readonly string[];
}
const { wrapLines, longLines, documents } = (await import(
  pathToFileURL(resolve(ROOT, 'scripts/wrap-documents.mjs')).href
)) as Wrapping;

t.test('lines of documents are short: else node scripts/wrap-documents.mjs --write', async (t) => {
  const files = documents();
  t.ok(files.map(dirname).includes('docs'));
  const found = files.flatMap((file) =>
    longLines(readFileSync(join(ROOT, file), 'utf8')).map(({ line }) => `${file}:${line}`),
  );
  t.same(found, []);
});

const words = (count: number) => Array.from({ length: count }, () => 'word').join(' ');

t.test('prose and items are wrapped, within their indentation', async (t) => {
  t.equal(wrapLines(words(30)), `${words(22)}\n${words(8)}`);
  t.equal(
    wrapLines(`Before.\n\n- ${words(30)}\n- ${words(3)}\n`),
    ['Before.\n', `- ${words(21)}`, `  ${words(9)}`, `- ${words(3)}\n`].join('\n'),
  );
  t.same(longLines(`${words(3)}\n\n${words(30)}`), [{ line: 3, length: 149 }]);
});

t.test('what cannot be wrapped stays as it is', async (t) => {
  const long = words(30);
  const link = `[${'word'.repeat(10)}](https://example.org/${'a/'.repeat(60)})`;
  for (const text of [
    `| ${long} |`,
    `# ${long}`,
    `\`\`\`\n${long}\n\`\`\``,
    `<p>${long}</p>`,
    `[x]: ${'a'.repeat(130)}`,
    link,
    `${long}  \nand a line of its own`,
  ]) {
    t.equal(wrapLines(text), text);
    t.same(longLines(text), [], text);
  }
});

t.test('what is code, and what would begin an item, is not torn off', async (t) => {
  const code = `\`${words(6)}\``;
  t.match(wrapLines(`${words(20)} ${code} ${words(9)}`), code);
  const lines = wrapLines(`${words(21)} abcd - ${words(9)}`).split('\n');
  t.notOk(
    lines.some((line) => line.startsWith('-')),
    lines.join('\n'),
  );
});
