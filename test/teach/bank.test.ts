import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { encodeBank, negativeBank } from '#mobilenetd/teach/bank.js';
import { random } from './things.js';

t.test('a bank keeps embeddings to half a step of each', (t) => {
  const next = random(3);
  const embeddings = Array.from({ length: 7 }, (_, row) =>
    Float32Array.from({ length: 33 }, () => Math.max(0, (next() - 0.3) * (row + 1))),
  );
  embeddings.push(new Float32Array(33));
  const read = negativeBank(encodeBank('x', embeddings));
  t.equal(read.length, 8);
  for (const [row, embedding] of embeddings.entries()) {
    const step = Math.max(...embedding) / 255;
    const worst = Math.max(...embedding.map((v, k) => Math.abs(v - (read[row]?.[k] ?? 99))));
    t.ok(worst <= step / 2 + 1e-5, `${worst} of ${step}`);
  }
  t.end();
});

t.test('a damaged bank is refused', (t) => {
  const good = encodeBank('x', [Float32Array.of(1, 2, 3), Float32Array.of(0, 0, 4)]);
  const text = new TextDecoder().decode(good);
  const changed = (from: string, to: string) => new TextEncoder().encode(text.replace(from, to));
  const broken = [
    new Uint8Array(),
    good.subarray(0, 20),
    good.subarray(0, good.length - 1),
    Uint8Array.of(...good, 0),
    changed('"version":1', '"version":2'),
    changed('"dimension":3', '"dimension":4'),
    changed('"count":2', '"count":3'),
    changed('"scales":[', '"scales":[-'),
    new TextEncoder().encode('null\n'),
  ];
  for (const bytes of broken) t.throws(() => negativeBank(bytes), { code: 'MND_TEACH_INVALID' });
  t.end();
});

t.test('the shipped banks can be read, and are small', (t) => {
  const folder = fileURLToPath(new URL('../../../models/embeddings/', import.meta.url));
  const files = readdirSync(folder).filter((file) => file.endsWith('.bank'));
  t.ok(files.length >= 10);
  let total = 0;
  for (const file of files) {
    const bytes = readFileSync(join(folder, file));
    const embeddings = negativeBank(bytes);
    t.equal(embeddings.length, 500, `${file}: ${embeddings.length}`);
    total += bytes.length;
    t.ok(embeddings.every((embedding) => embedding.some((value) => value > 0)));
  }
  t.ok(total < 8_500_000, `${total} bytes: a package must stay small`);
  t.end();
});
