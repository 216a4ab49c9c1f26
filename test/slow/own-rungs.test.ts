// A process of its own: it runs a daemon on a board that gets hot
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Result } from '#mobilenetd/inference/result.js';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { mobilenetV1Spec } from '../convert/build-mobilenet.js';
import { buildTflite } from '../convert/build-tflite.js';
import { eventually } from '../eventually.js';
import { hotDaemon } from './hot-board.js';

/** Slow, so that some frames a second of these small networks are a load that heats it. */
const HOT_BOARD = { board: 'pi4-case', ambientC: 34, fromC: 50, speed: 10, slower: 2 };
const FILES = [
  { name: 'wide', alpha: 0.75, size: 128, accuracy: 60 },
  { name: 'narrow', alpha: 0.25, size: 96, accuracy: 40 },
] as const;

t.setTimeout(900_000);

t.test(
  'the governor walks α and ρ over several files of one ladder of the user’s own',
  async (t) => {
    const place = mkdtempSync(join(tmpdir(), 'mnd-'));
    t.teardown(() => rmSync(place, { recursive: true, force: true }));
    const labels = join(place, 'labels.txt');
    writeFileSync(labels, 'left\nmiddle\nright\n');
    const add = (
      dir: string,
      { name, alpha, size, accuracy }: (typeof FILES)[number],
      given = labels,
    ) => {
      const file = join(place, `${name}.tflite`);
      writeFileSync(file, buildTflite(mobilenetV1Spec({ alpha, size, classes: 3 }, 7)));
      const options = { labels: given, name, accuracy, ladder: 'shop', task: 'classify' } as const;
      return openShelf({ dir, env: {} }).add(file, options);
    };
    const others = { load: 0 };
    const daemon = await hotDaemon(t, {
      ...HOT_BOARD,
      others: () => others.load,
      ...{
        mirror: '',
        picture: 'assets/demo/coffee.jpg',
        fps: 5,
        limitC: 80,
        floorSize: 96,
        networks: [],
      },
      model: { task: 'classify', name: 'shop', top: 1, form: 'exact' },
      async install(folder) {
        const dir = join(folder, 'models');
        for (const file of FILES) await add(dir, file);
        const strange = join(place, 'strange.txt');
        writeFileSync(strange, 'left\nright\nmiddle\n');
        await t.rejects(add(dir, { ...FILES[0], name: 'wide' }), { code: 'MND_USAGE' });
        await t.rejects(add(dir, { ...FILES[1], name: 'third' as 'narrow' }, strange), {
          code: 'MND_LABELS_INVALID',
          message:
            /the 3 labels of narrow, a rung of the same ladder, among them "middle"; found 3, with "right" there; give another name with --rung-of/,
        });
      },
    });
    const results: Result[] = [];
    daemon.signals.on('labelled', ({ result }) => results.push(result));
    await daemon.start();
    const last = () => results.at(-1)?.model;
    t.ok(await eventually(() => last() === 'wide'), `${last()}: the better one while it is cool`);
    others.load = 0.9;
    const seen = () => `${last()} at ${Math.max(...daemon.dieC).toFixed(1)} °C`;
    t.ok(await eventually(() => last() === 'narrow'), seen());
    others.load = 0;
    const since = results.length;
    const back = () => results.slice(since).some(({ model }) => model === 'wide');
    t.ok(await eventually(back), `the better one again: ${seen()}`);
    await daemon.stop();
    const runs = new Map(results.map(({ model, alpha, size }) => [model, { alpha, size }]));
    t.same(runs.get('wide'), { alpha: 0.75, size: 128 });
    t.same(runs.get('narrow'), { alpha: 0.25, size: 96 });
  },
);
