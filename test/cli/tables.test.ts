import t from 'tap';
import { formatTable } from '#mobilenetd/cli/table.js';
import { textWidth } from '#mobilenetd/cli/text-width.js';
import { FAMILIES } from '#mobilenetd/families/families.js';
import { runInProcess } from './in-process.js';

const COMMANDS = [
  { name: 'models', summary: '', load: () => import('#mobilenetd/cli/models.js') },
  { name: 'simulate', summary: '', load: () => import('#mobilenetd/cli/simulate.js') },
];
const run = (...args: readonly string[]) => runInProcess(COMMANDS, args, {}, 80);

function tooWide(text: string): readonly string[] {
  return text.split('\n').filter((line) => textWidth(line) > 80);
}

t.test('the layers of every family fit 80 columns, and --wide shows more', async (t) => {
  for (const { name } of FAMILIES) {
    // Large, so that outputs and multiply-adds take their most digits.
    const args = ['models', 'describe', '--family', name, '--size', '512'];
    const { status } = await run(...args);
    if (status !== 0) args.push('--alpha', '1');
    const { stdout, stderr } = await run(...args);
    t.equal(stderr, '', name);
    t.ok(stdout.split('\n').length > 20, `${name} has layers`);
    t.same(tooWide(stdout), [], name);
    const wide = await run(...args, '--wide');
    t.match(wide.stdout, /^layer .* stride /);
    t.equal(wide.stdout.split('\n').length, stdout.split('\n').length);
  }
});

t.test('the catalogue and the figures of the governor fit 80 columns', async (t) => {
  for (const args of [
    ['models', 'list'],
    ['simulate', '--scenario', 'hot-start', '--governor', 'all'],
  ]) {
    const { status, stdout, stderr } = await run(...args);
    t.equal(status, 0, stderr);
    t.same(tooWide(stdout), [], args.join(' '));
  }
});

t.test('names give way to a width, at their beginning; figures stand to the right', (t) => {
  const rows = [
    ['expanded_conv_10/depthwise', '-1.5', '9.9 MB'],
    ['日本語の長い名前/b', '12.25', '10.0 MB'],
  ];
  t.same(formatTable(['layer', 'peak', 'size'], rows, 30).split('\n'), [
    'layer            peak     size',
    '…_10/depthwise   -1.5   9.9 MB',
    '…の長い名前/b   12.25  10.0 MB',
  ]);
  t.same(
    formatTable(['layer', 'peak', 'size'], rows).split('\n').map(textWidth),
    [42, 42, 42],
    'without a width they are whole',
  );
  t.end();
});
