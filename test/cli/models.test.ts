import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { readBoardModel } from '#mobilenetd/platform.js';
import { filesOf, formsOf, thisBoard, writeProfiles } from '#mobilenetd/profile/profiles.js';
import { buildMobilenet, CLASSES, writeDetector } from '../models/sample-files.js';
import { runInProcess } from './in-process.js';

const root = mkdtempSync(join(tmpdir(), 'cli-models-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

const ENV = {
  PATH: process.env.PATH,
  HOME: root,
  MOBILENETD_STATE: join(root, 'state'),
  https_proxy: 'http://127.0.0.1:1',
  http_proxy: 'http://127.0.0.1:1',
};

const COMMANDS = [
  { name: 'models', summary: '', load: () => import('#mobilenetd/cli/models.js') },
  { name: 'classify', summary: '', load: () => import('#mobilenetd/cli/classify.js') },
  { name: 'detect', summary: '', load: () => import('#mobilenetd/cli/detect.js') },
];

const run = (...args: readonly string[]) => runInProcess(COMMANDS, args, ENV);

const model = join(root, 'Own.tflite');
const labels = join(root, 'labels.txt');
writeFileSync(model, buildMobilenet());
writeFileSync(labels, Array.from({ length: CLASSES }, (_, index) => `label ${index}\n`).join(''));

const picture = (name: string, color: string, width = 90, height = 60) =>
  sharp({ create: { width, height, channels: 3, background: color } }).toFile(join(root, name));
await picture('red.png', 'red');
await picture('blue.jpg', 'blue');
const [red, blue] = [join(root, 'red.png'), join(root, 'blue.jpg')];

t.test('with nothing installed', async (t) => {
  const list = await run('models', 'list', '--json');
  t.equal(list.status, 0);
  t.match(list.json()[0], {
    name: 'mobilenet_v1_1.0_224_quant',
    task: 'classify',
    alpha: 1,
    sizes: [224],
    installed: {},
    problem: null,
  });
  t.match((await run('models', 'list')).stdout, /^model +task +px/);
  t.match((await run('models', 'list', '--wide')).stdout, /^model +task +alpha/);
  for (const line of (await run('models', 'list')).stdout.split('\n')) {
    t.ok(line.length <= 80, line);
  }
  t.equal((await run('models', 'list', '--installed', '--json')).stdout, '');
  for (const [args, status, message] of [
    [['classify', red], 69, /MND_MODEL_MISSING.*run: mobilenetd models pull mobilenet_v1_/],
    [['detect', red], 69, /MND_MODEL_MISSING.*pull ssdlite_mobilenet_v2_coco\n/],
    [['detect', red, '--no-pull'], 69, /MND_MODEL_MISSING/],
    [['classify', red, '--alpha', '0.5', '--size', '128'], 69, /pull mobilenet_v1_0.5_128_quant\n/],
    [['classify', red, '--model', 'mobilenet_v1_0.5_129'], 64, /did you mean mobilenet_v1_0.5_12/],
    [['models', 'pull', 'mobilenet_v1_0.5'], 64, /did you mean/],
    [['models', 'remove', 'nothing'], 64, /MND_MODEL_UNKNOWN/],
    [['models', 'add', model], 64, /--labels/],
    [['models', 'add', join(root, 'none'), '--labels', labels], 66, /MND_INPUT_MISSING/],
    [['models', 'nonsense'], 64, /MND_USAGE/],
    [['classify'], 64, /missing required argument 'image'/],
    [['classify', red, '--top', '0'], 64, /--top.*expected a whole number from 1 to 1000/],
    [['classify', red, '--form', 'int4'], 64, /exact, symmetric, reduced, float32/],
    [['detect', red, '--threshold', '1.5'], 64, /--threshold.*from 0.01 to 1/],
  ] as const) {
    const { status: found, stderr, stdout } = await run(...args);
    t.equal(found, status, args.join(' '));
    t.match(stderr, message);
    t.equal(stdout, '');
  }
});

t.test('add, list, classify, remove', async (t) => {
  const added = await run(
    'models',
    'add',
    model,
    '--labels',
    labels,
    '--name',
    'own',
    '--form',
    'exact',
    'symmetric',
    '--json',
  );
  t.match(added, { status: 0, stderr: '' });
  t.match(added.json(), [{ name: 'own', task: 'classify', fresh: true }]);
  t.match(
    (await run('models', 'list', '--installed', '--wide')).stdout,
    /own .*exact 0\.\d MB, symmetric 0\.\d MB/,
  );

  const one = await run('classify', red, '--json', '--top', '3');
  t.match(one, { status: 0, stderr: '' });
  const [line] = one.json();
  t.strictSame(Object.keys(line ?? {}), ['file', 'model', 'alpha', 'size', 'ms', 'labels']);
  t.match(line, { file: red, model: 'own', alpha: 0.25, size: 32 });
  const found = line?.labels as { index: number; label: string; score: number }[];
  t.equal(found.length, 3);
  for (const { index, label, score } of found) {
    t.equal(label, `label ${index}`);
    t.ok(score >= 0 && score <= 1);
  }
  t.ok((found[0]?.score ?? 0) >= (found[1]?.score ?? 1), 'best first');

  const text = await run('classify', red, blue, '--alpha', '0.25', '--size', '32', '--top', '1');
  t.match(text, { status: 0, stderr: '' });
  t.match(
    text.stdout,
    /red\.png {2}\(own, 32 px, [\d.]+ ms\)\n {2}\d\.\d{3} {2}label \d\n.*blue\.jpg/,
  );
  t.equal((await run('classify', red, '--form', 'symmetric', '--json')).json()[0]?.model, 'own');
  t.match(await run('classify', red, '--form', 'float32'), {
    status: 69,
    stderr: /pull own --form float32|MND_MODEL_MISSING/,
  });
  t.match(await run('detect', red, '--model', 'own'), { status: 1, stderr: /MND_MODEL_MISMATCH/ });
  t.match(await run('models', 'add', model, '--labels', labels, '--name', 'own'), { status: 64 });

  t.match(await run('models', 'remove', 'own'), { status: 0, stdout: 'own  removed\n' });
  t.match(await run('models', 'remove', 'own'), { status: 64 });
});

t.test('labels: as events and the configuration name them', async (t) => {
  const file = join(root, 'named.txt');
  const named = Array.from({ length: CLASSES }, (_, index) => `thing ${index}, Res ${index}\n`);
  writeFileSync(file, ['crane, bird\n', 'crane, machine\n', ...named.slice(2)].join(''));
  t.match(await run('models', 'add', model, '--labels', file, '--name', 'named'), { status: 0 });
  const plain = await run('models', 'labels', 'named');
  t.match(plain, { status: 0, stderr: '' });
  const lines = plain.stdout.trimEnd().split('\n');
  t.same(lines.slice(0, 2), ['crane', 'thing 2'], 'one topic for both cranes, and no second names');
  t.equal(lines.length, CLASSES - 1);
  const json = (await run('models', 'labels', 'named', '--json')).json();
  t.match(json, [{ model: 'named', labels: lines, taught: [] }]);
  t.match(await run('models', 'labels', 'namd'), { status: 64, stderr: /did you mean named/ });
  t.match(await run('models', 'labels'), { status: 69, stderr: /MND_MODEL_MISSING.*models pull/ });
  await run('models', 'remove', 'named');
});

t.test('the form that was measured to be the fastest', async (t) => {
  await run(
    ...['models', 'add', model, '--labels', labels, '--name', 'measured'],
    ...['--form', 'exact', 'float32'],
  );
  const scores = async (...options: string[]) => {
    const { status, json } = await run('classify', red, '--json', '--top', '5', ...options);
    t.equal(status, 0);
    return json()[0]?.labels;
  };
  const exact = await scores('--form', 'exact');
  const float = await scores('--form', 'float32');
  t.notSame(exact, float);
  t.strictSame(await scores(), exact, 'without a profile');

  const state = ENV.MOBILENETD_STATE;
  const shelf = openShelf({ dir: join(state, 'models'), env: ENV });
  const [forms] = await formsOf(shelf, 'classify');
  if (forms === undefined) throw new Error('nothing is installed');
  const agreement = {
    pictures: 1,
    decisive: 1,
    matched: 1,
    extra: 0,
    scoreChange: 0,
    agrees: true,
  };
  const cost = (form: 'exact' | 'float32', ms: number) => {
    return { form, threads: 1, medianMs: ms, minMs: ms, quietMs: ms, cpuMs: ms, agreement };
  };
  const board = thisBoard(readBoardModel());
  const costs = [cost('exact', 2), cost('float32', 1)];
  const measured = { measured: '2026-01-01T00:00:00Z', files: filesOf(forms), costs };
  await writeProfiles(state, { board, variants: { [forms[0].name]: measured } });
  t.strictSame(await scores(), float);
  t.strictSame(await scores('--form', 'exact'), exact);
  await writeProfiles(state, {
    board: { ...board, onnxruntime: '1.0.0' },
    variants: { [forms[0].name]: measured },
  });
  t.strictSame(await scores(), exact, 'a profile of another runtime');
  await run('models', 'remove', 'measured');
});

t.test('bad pictures do not stop the good ones', async (t) => {
  await run('models', 'add', model, '--labels', labels, '--name', 'own');
  const broken = join(root, 'broken.jpg');
  writeFileSync(broken, 'no picture');
  const none = join(root, 'none.jpg');
  const mixed = await run('classify', none, red, broken, root, blue, '--json');
  t.equal(mixed.status, 1);
  const lines = mixed.json() as { file: string; error?: { code: string } }[];
  t.strictSame(
    lines.map(({ file, error }) => error?.code ?? file),
    ['MND_INPUT_MISSING', red, 'MND_IMAGE_INVALID', 'MND_INPUT_MISSING', blue],
  );
  t.match(mixed.stderr, /MND_INPUT_MISSING: \S*none\.jpg/);
  t.match(mixed.stderr, /MND_IMAGE_INVALID: \S*broken\.jpg/);
  t.match(mixed.stderr, /found a folder/);
  t.match(mixed.stderr, /3 of 5 pictures/);
  const missing = await run('classify', none, red);
  t.equal(missing.status, 66);
  const single = await run('classify', none);
  t.equal(single.status, 66);
  t.equal(single.stderr.trim().split('\n').length, 1, 'one failure is told once');
  t.equal((await run('classify', broken)).status, 1);
});

t.test('detect', async (t) => {
  const folder = join(root, 'detector');
  mkdirSync(folder);
  const file = writeDetector(folder);
  const classes = join(root, 'classes.txt');
  writeFileSync(classes, Array.from({ length: 91 }, (_, index) => `class ${index}\n`).join(''));
  const added = await run(
    'models',
    'add',
    file,
    '--labels',
    classes,
    '--name',
    'finder',
    '--task',
    'detect',
  );
  t.match(added, { status: 0, stderr: '' });
  const result = await run('detect', red, '--json', '--size', '140', '--threshold', '0.01');
  t.match(result, { status: 0, stderr: '' });
  const [line] = result.json();
  t.strictSame(Object.keys(line ?? {}), ['file', 'model', 'size', 'ms', 'objects']);
  t.match(line, { file: red, model: 'finder_140', size: 140 });
  const objects = line?.objects as { label: string; score: number; box: number[] }[];
  t.ok(objects.length > 0, 'random weights see something');
  for (const { label, score, box } of objects) {
    t.ok(label !== '' && score >= 0.01 && score <= 1);
    const [x = -1, y = -1, width = 0, height = 0] = box;
    t.ok(
      x >= 0 && y >= 0 && x + width <= 90.1 && y + height <= 60.1,
      'in the pixels of the picture',
    );
  }
  const nothing = await run('detect', red, '--threshold', '1');
  t.match(nothing.stdout, /finder_300, 300 px.*\n {2}nothing\n/);
});

t.test('describe', async (t) => {
  const text = await run('models', 'describe', '--alpha', '0.5', '--size', '160');
  t.equal(text.status, 0);
  t.match(text.stdout, /parameters {2}1\.332 M .*\nmult-adds {3}76\.525 M /);
  const json = (await run('models', 'describe', '--alpha', '1', '--size', '224', '--json')).json();
  t.equal(json.length, 30);
  t.match(json.at(-1), { alpha: 1, size: 224, classes: 1001, parameters: 4233001 });
  for (const [alpha, size] of [
    ['0', '224'],
    ['2', '224'],
    ['1', '225'],
    ['x', '224'],
    ['1', ''],
  ] as const) {
    t.match(await run('models', 'describe', '--alpha', alpha, '--size', size), {
      status: 64,
      stderr: /MND_USAGE/,
    });
  }
});
