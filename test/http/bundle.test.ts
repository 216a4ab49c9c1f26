import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t from 'tap';

t.test('all of the page is small, and asks nobody else for anything', (t) => {
  const files = readdirSync('dist/web').map((name) => ({
    name,
    bytes: readFileSync(`dist/web/${name}`),
  }));
  const kinds = files.map(({ name }) => name.replace(/.*\./, ''));
  t.same(kinds.toSorted(), ['css', 'html', 'js', 'svg']);
  const total = files
    .filter(({ name }) => /\.(?:js|css)$/.test(name))
    .reduce((sum, { bytes }) => sum + gzipSync(bytes, { level: 9 }).length, 0);
  t.ok(total <= 60_000, `${total} bytes of script and style, compressed`);
  for (const { name, bytes } of files) {
    const elsewhere = [...bytes.toString().matchAll(/https?:\/\/[\w.-]+/g)].map(([url]) => url);
    // A name space is no address.
    t.same(
      elsewhere.filter((url) => url !== 'http://www.w3.org'),
      [],
      name,
    );
  }
  t.end();
});
