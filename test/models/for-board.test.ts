import t from 'tap';
import { describeProcessor } from '#mobilenetd/inference/processor.js';
import { readCatalog } from '#mobilenetd/models/catalog/catalog.js';
import { chooseForBoard } from '#mobilenetd/models/for-board.js';

const arm = (part: string) =>
  describeProcessor('arm64', `CPU implementer : 0x41\nCPU part : ${part}`, 4).model;

const BOARDS = {
  'Zero 2 W': { memory: 0.43e9, cores: 4, processor: arm('0xd03') },
  'Pi 3': { memory: 0.95e9, cores: 4, processor: arm('0xd03') },
  'board of Cortex-A55, 4 GB': { memory: 4e9, cores: 4, processor: arm('0xd05') },
  'two cores, 4 GB': { memory: 4e9, cores: 2, processor: arm('0xd08') },
  'Pi 4, 1 GB': { memory: 0.95e9, cores: 4, processor: arm('0xd08') },
  'Pi 4, 2 GB': { memory: 1.9e9, cores: 4, processor: arm('0xd08') },
  'Pi 5': { memory: 8e9, cores: 4, processor: arm('0xd0b') },
};

t.test('a ladder is as long as the board is strong', async (t) => {
  const catalog = await readCatalog();
  const lengths = Object.entries(BOARDS).map(([name, board]) => {
    const { names, leftOut } = chooseForBoard(catalog, ['coco'], board);
    t.equal(names[0], catalog.defaults.detect, `${name}: the default detector`);
    t.equal(
      names.length + leftOut.length,
      catalog.ladders?.coco?.length,
      `${name}: none is forgotten`,
    );
    return [name, names.length];
  });
  t.strictSame(Object.fromEntries(lengths), {
    'Zero 2 W': 1,
    'Pi 3': 1,
    'board of Cortex-A55, 4 GB': 3,
    'two cores, 4 GB': 3,
    'Pi 4, 1 GB': 1,
    'Pi 4, 2 GB': 4,
    'Pi 5': 4,
  });
  const { leftOut } = chooseForBoard(catalog, ['coco'], BOARDS['board of Cortex-A55, 4 GB']);
  t.match(leftOut, [{ name: 'ssd_mobilenet_v1_1.0_coco_quant', why: /1237 million.*Cortex-A55/ }]);
});

t.test('classifiers are small, and a name that is no ladder is left to be looked up', async (t) => {
  const catalog = await readCatalog();
  const { names, leftOut } = chooseForBoard(catalog, ['imagenet', 'nosuch'], BOARDS['Zero 2 W']);
  t.strictSame(names, [...(catalog.ladders?.imagenet ?? []), 'nosuch']);
  t.strictSame(leftOut, []);
});
