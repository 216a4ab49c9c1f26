// A process of its own: training starts threads
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { create } from 'tar';
import type { CommandEntry } from '#mobilenetd/cli/command.js';
import { CropShelf } from '#mobilenetd/taught/shelf.js';
import { installRandomModel } from '../integration/random-model.js';
import { lastingFolder } from '../lasting-folder.js';
import { drawn } from '../taught/color-engine.js';
import { runInProcess } from './in-process.js';

const COMMANDS: readonly CommandEntry[] = [
  { name: 'teach', summary: '', load: () => import('#mobilenetd/cli/teach.js') },
  { name: 'config', summary: '', load: () => import('#mobilenetd/cli/config.js') },
];

const BOUNDS = { maxCrops: 2000, maxBytes: 50_000_000 };
t.setTimeout(300_000);

/** A state folder with a network that has the labels left, middle and right, and a folder of pictures. */
async function prepare(t: Test) {
  const folder = lastingFolder(t, { pictures: {}, deep: { more: {} }, empty: {} });
  const name = await installRandomModel(folder);
  const config = join(folder, 'c.yaml');
  const area = '[[0, 0], [1, 0], [1, 1]]';
  writeFileSync(
    config,
    `model: { task: classify, name: ${name} }
cameras: { front: { source: demo, zones: { gate: { area: ${area} } } } }
`,
  );
  for (let n = 0; n < 3; n += 1) {
    const picture = await drawn([80 * n, 40, 200 - 60 * n], n);
    for (const place of ['pictures', 'deep'])
      writeFileSync(join(folder, place, `${n}.jpg`), picture);
  }
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    MOBILENETD_STATE: folder,
    MOBILENETD_CONFIG: config,
  };
  const teach = (...args: string[]) =>
    runInProcess(COMMANDS, ['--config', config, 'teach', ...args], env);
  const check = () => runInProcess(COMMANDS, ['--config', config, 'config', '--check'], env);
  return { folder, config, teach, check, pictures: join(folder, 'pictures') };
}

t.test('pictures of what could never be told are not taken from a folder', async (t) => {
  const { teach, pictures } = await prepare(t);
  const refused: readonly (readonly [args: string[], why: RegExp])[] = [
    [['left', '--from', pictures], /"left".*has a label of that name.*another name/],
    [['labels', '--from', pictures], /its topic, labels, has another meaning/],
    [['gate', '--from', pictures], /zone gate of camera front/],
    [['Minka', '--of', 'cat', '--from', pictures], /finds no objects/],
    [['x', '--not', '--of', 'cat', '--from', pictures], /the opposite.*finds no objects/],
    [['あ'.repeat(30), '--from', pictures], /at most 200 characters.*shorter/],
  ];
  for (const [args, why] of refused) {
    const { status, stderr } = await teach(...args);
    t.equal(status, 64, stderr);
    t.match(stderr, why);
  }
  t.match((await teach('--list')).stderr, /nothing was taught yet/);
  t.match(await teach('my spoon', '--from', pictures), { status: 0 });
  const twin = await teach('my/spoon', '--from', pictures, '--camera', 'front');
  t.match(twin, { status: 64, stderr: /its topic is that of "my spoon"/ });
});

t.test('what is given and would do nothing is refused, and a slip is said', async (t) => {
  const { folder, teach, pictures } = await prepare(t);
  t.match(await teach('spoon', '--from', pictures), { status: 0 });
  const idle: readonly (readonly [args: string[], what: RegExp])[] = [
    [['spoon', '--undo'], /found "spoon"; --undo takes the last batch back, whatever it was/],
    [['--undo', '--camera', 'front'], /--undo.*found --camera/],
    [['--list', 'spoon'], /--list.*found "spoon"/],
    [['--report', '--not'], /--report.*found --not/],
    [['--export', join(folder, 'x.tar'), '--zone', 'gate'], /--export.*found --zone/],
    [['spoon', '--from', pictures, '--for', '5s'], /--from.*found --for/],
    [['spoon', '--forget', '--for', '5s'], /--forget.*found --for/],
  ];
  for (const [args, what] of idle) t.match(await teach(...args), { status: 64, stderr: what });
  t.match(await teach('--list'), { stdout: /spoon: [123] picture/ }, 'nothing was taken back');

  const slip = await teach('spooon', '--not', '--from', pictures);
  t.match(slip, { status: 0, stderr: /no "spooon" was taught of whole frames .*only spoon/ });
  const right = await teach('spoon', '--not', '--from', pictures);
  t.equal(right.status, 0);
  t.notMatch(right.stderr, /was taught of/);
  const place = await teach('spoon', '--not', '--camera', 'front', '--from', pictures);
  t.match(place.stderr, /no "spoon" was taught of whole frames of camera front yet: these/);
});

t.test('a picture that is named by the report can be taken out', async (t) => {
  const { folder, config, teach, pictures } = await prepare(t);
  t.match(await teach('spoon', '--from', pictures), { status: 0 });
  const [file] = (await new CropShelf(folder, BOUNDS).list()).map((crop) => crop.file);
  t.match(await teach('--drop', join(pictures, '0.jpg')), {
    status: 66,
    stderr: /expected a picture that was taught, in .*teach --report names/,
  });
  t.match(await teach('--drop', file ?? ''), { status: 0, stdout: /1 picture removed: spoon/ });
  t.match(await teach('--drop', file ?? '', '--not'), { status: 64, stderr: /found --not/ });

  appendFileSync(config, 'teach: { enabled: false }\n');
  const off = await teach('spoon', '--from', pictures);
  t.match(off, { status: 0, stderr: /teach.enabled: false: what is taught is not looked for/ });
});

t.test('folders in a folder are said, with pictures beside them and without', async (t) => {
  const { folder, teach } = await prepare(t);
  const beside = await teach('spoon', '--from', join(folder, 'deep'));
  t.match(beside, { status: 0, stderr: /1 folder in it, which is not looked into/ });
  mkdirSync(join(folder, 'empty', 'a'));
  mkdirSync(join(folder, 'empty', 'b'));
  t.match(await teach('spoon', '--from', join(folder, 'empty')), {
    status: 66,
    stderr: /no other files, and 2 folders in it, which are not looked into; name the folder/,
  });
});

t.test('an archive without anything that can be told here is no success', async (t) => {
  const { folder, teach, pictures } = await prepare(t);
  const other = join(folder, 'other.tar');
  await create({ file: other, cwd: folder }, ['pictures']);
  const nothing = await teach('--import', other);
  t.match(nothing, { status: 1, stderr: /MND_ARCHIVE_INVALID.*other\.tar.*found none/ });

  t.match(await teach('spoon', '--from', pictures), { status: 0 });
  const file = join(folder, 'taught.tar');
  t.match(await teach('--export', file), { status: 0 });
  t.match(await teach('spoon', '--forget'), { status: 0 });
  // Of a board whose network has other names.
  mkdirSync(join(folder, 'any', 'left'), { recursive: true });
  writeFileSync(join(folder, 'any', 'left', 'a.jpg'), await drawn([9, 9, 9], 1));
  const left = join(folder, 'left.tar');
  await create({ file: left, cwd: folder }, ['any/left/a.jpg']);
  t.match(await teach('--import', left), {
    status: 1,
    stderr: /left out: "left".*found 1 of labels that cannot be told here/s,
  });
  t.match(await teach('--list'), { stderr: /nothing was taught yet/ });
  t.match(await teach('--import', file), { status: 0, stdout: /\d pictures added/ });
});

t.test('a label that was taught is no stranger to the check of the configuration', async (t) => {
  const { config, teach, check, pictures } = await prepare(t);
  appendFileSync(config, 'presence: { labels: { spoon: { enter: 0.7 }, fork: { enter: 0.7 } } }\n');
  const before = await check();
  t.match(before.stderr, /"spoon" is no label of the model/);
  t.match(await teach('spoon', '--from', pictures), { status: 0 });
  const after = await check();
  t.notMatch(after.stderr, /"spoon"/);
  t.match(after.stderr, /"fork" is no label of the model/);
  appendFileSync(config, 'teach: { enabled: false }\n');
  t.match((await check()).stderr, /"spoon" is no label of the model/, 'nor told while it is off');
});
