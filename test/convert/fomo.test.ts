import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { decodeGrid } from '#mobilenetd/vision/grid.js';
import { type FomoOptions, fomoModel } from './build-fomo.js';
import { buildTflite } from './build-tflite.js';
import { openOracle } from './litert.js';
import { randomPicture } from './random.js';
import { openOnnx } from './session.js';

interface Cell {
  readonly row: number;
  readonly column: number;
  readonly score: number;
}

/** What LiteRT's logits say, by softmax over a cell and by joining cells until nothing changes. */
function expectedObjects(logits: ArrayLike<number>, rows: number, columns: number, least: number) {
  const classes = logits.length / rows / columns;
  const groups: { index: number; cells: Cell[] }[] = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const first = (row * columns + column) * classes;
      const powers = Array.from({ length: classes }, (_, at) => Math.exp(logits[first + at] ?? 0));
      const sum = powers.reduce((total, power) => total + power);
      const scores = powers.map((power) => power / sum);
      const [, ...things] = scores;
      const score = Math.max(...things);
      if (score < least) continue;
      groups.push({ index: things.indexOf(score) + 1, cells: [{ row, column, score }] });
    }
  }
  const touch = (a: readonly Cell[], b: readonly Cell[]) =>
    a.some((one) =>
      b.some((two) => Math.abs(one.row - two.row) < 2 && Math.abs(one.column - two.column) < 2),
    );
  for (let joined = true; joined; ) {
    joined = false;
    for (const [at, group] of groups.entries()) {
      const other = groups.findIndex(
        ({ index, cells }, place) =>
          place > at && index === group.index && touch(cells, group.cells),
      );
      if (other < 0) continue;
      group.cells.push(...(groups.splice(other, 1)[0]?.cells ?? []));
      joined = true;
    }
  }
  const middle = (cells: readonly Cell[], of: (cell: Cell) => number) =>
    cells.reduce((sum, cell) => sum + cell.score * of(cell), 0) /
    cells.reduce((sum, { score }) => sum + score, 0);
  return groups
    .map(({ index, cells }) => ({
      index,
      score: Math.max(...cells.map(({ score }) => score)),
      x: middle(cells, ({ column }) => (column + 0.5) / columns),
      y: middle(cells, ({ row }) => (row + 0.5) / rows),
    }))
    .sort((a, b) => b.score - a.score);
}

const KINDS: readonly (FomoOptions & { readonly name: string })[] = [
  { name: 'square', height: 96 },
  { name: 'one class, wide', height: 48, width: 80, classes: 1, seed: 3 },
  { name: 'tall, four classes', height: 80, width: 64, classes: 4, seed: 5 },
];

for (const { name, ...options } of KINDS) {
  t.test(`FOMO, ${name}: the objects of LiteRT's grid`, async (t) => {
    const { model, network } = fomoModel(options);
    const { height = 0, width = height, classes = 2 } = options;
    const converted = convertTflite(buildTflite(model), { form: 'exact' });
    const { head, input } = converted;
    if (head.kind !== 'grid') throw new Error('no grid');
    t.match(head, { rows: height / 8, columns: width / 8, classes: classes + 1 });
    t.strictSame(input.sides, height === width ? undefined : [height, width]);
    const oracle = await openOracle(buildTflite(network));
    const onnx = await openOnnx(converted.onnx);
    let count = 0;
    for (let seed = 0; seed < 12; seed += 1) {
      const picture = randomPicture(height, seed, width);
      const logits = await oracle.run(picture, [1, height, width, 3]);
      const values = (await onnx.run(picture, height, width)).cells?.data ?? new Uint8Array();
      for (const least of [0.5, 0.9]) {
        const expected = expectedObjects(logits, height / 8, width / 8, least);
        const found = decodeGrid(values, head, least).map(({ index, score, box }) => {
          const [x, y, w, h] = box;
          return { index, score, x: x + w / 2, y: y + h / 2 };
        });
        count += expected.length;
        t.equal(found.length, expected.length);
        for (const object of expected) {
          const same = found.find(
            ({ index, x, y }) =>
              index === object.index &&
              Math.abs(x - object.x) < 1e-4 &&
              Math.abs(y - object.y) < 1e-4,
          );
          t.ok(Math.abs((same?.score ?? 9) - object.score) < 1e-4, JSON.stringify(object));
        }
      }
    }
    oracle.close();
    await onnx.close();
    t.ok(count > 20, `${count} objects`);
  });
}

t.test('all forms of a grid agree, and float ones', async (t) => {
  const file = buildTflite(fomoModel({ height: 96 }).model);
  const exact = convertTflite(file, { form: 'exact' });
  const picture = randomPicture(96, 4);
  const objects = async (form: 'exact' | 'symmetric' | 'reduced' | 'float32') => {
    const { onnx, head } = convertTflite(file, { form });
    if (head.kind !== 'grid') throw new Error('no grid');
    const model = await openOnnx(onnx, form);
    const { data = new Uint8Array() } = (await model.run(picture, 96, 96)).cells ?? {};
    await model.close();
    return decodeGrid(data, head, 0.5);
  };
  t.match(exact.head, { kind: 'grid', scores: 'softmax' });
  const float = await objects('float32');
  for (const form of ['exact', 'symmetric', 'reduced'] as const) {
    const found = await objects(form);
    t.ok(Math.abs(found.length - float.length) <= 1, `${form}: ${found.length}, ${float.length}`);
  }
});

t.test('maps that are no grid of objects are refused by what they look like', (t) => {
  const cases = [
    [{ end: 'none' }, /found \[1, 6, 6, 3\]: this looks like a YOLO or heat map network; take its/],
    [{ halvings: 1 }, /found \[1, 24, 24, 3\]: this looks like a segmentation network; take a/],
    [{ classes: 0 }, /found \[1, 6, 6, 1\]: this looks like a YOLO or heat map network/],
  ] as const;
  for (const [options, message] of cases) {
    const file = buildTflite(fomoModel(options).model);
    t.throws(() => convertTflite(file, { form: 'exact' }), { code: 'MND_MODEL_SHAPE', message });
  }
  t.end();
});
