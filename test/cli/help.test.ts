import { spawnSync } from 'node:child_process';
import type { Command } from 'commander';
import t from 'tap';
import { completionScript, wordsOf } from '#mobilenetd/cli/completion.js';
import { EXAMPLES } from '#mobilenetd/cli/examples.js';
import { examplesText } from '#mobilenetd/cli/help-layout.js';
import { textWidth } from '#mobilenetd/cli/text-width.js';
import { allCommands, commandsBelow, wholeProgram } from './all-commands.js';
import { runInProcess } from './in-process.js';

t.test(
  'every command shows two examples, and each is a command line that is understood',
  async (t) => {
    const root = await wholeProgram();
    const commands = new Map<string, Command>([['', root], ...commandsBelow(root)]);
    t.ok(commands.size > 20, `${commands.size} commands`);
    for (const path of commands.keys()) {
      t.ok((EXAMPLES[path] ?? []).length >= 2, `two examples of: mobilenetd ${path}`);
      t.match(examplesText(path, 80), /Examples:\n {2}mobilenetd /);
    }
    for (const [path, examples] of Object.entries(EXAMPLES)) {
      for (const [line] of examples) {
        t.ok(path === '' || line === path || line.startsWith(`${path} `), `${line} is of ${path}`);
        const fresh = await wholeProgram();
        const said: string[] = [];
        for (const command of [fresh, ...commandsBelow(fresh).map(([, command]) => command)]) {
          command.exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
          command.action(() => {});
        }
        // What a shell would do with the output is no word of the command.
        const [typed = ''] = line.split(/ [<>|] /);
        await t.resolves(
          fresh.parseAsync(typed.split(' '), { from: 'user' }),
          `${line} ${said.join('')}`,
        );
      }
    }
  },
);

t.test('a usage error points to the help of its command', async (t) => {
  const all = allCommands();
  const run = (...args: string[]) => runInProcess(all, args, {});
  for (const [args, said] of [
    [
      ['models', 'pull', '--frce'],
      /'--frce'.*did you mean --force\? See mobilenetd models pull --help/,
    ],
    [['simulate', '--seeed', '3'], /did you mean --seed\? See mobilenetd simulate --help/],
    [['models', 'lst'], /unknown command 'lst'.*See mobilenetd models --help/],
    [['config', '--zzzzzzzz'], /'--zzzzzzzz'.*see mobilenetd config --help/],
    [['query', '--since'], /--since <time>' argument missing.*see mobilenetd query --help/],
    [['simulate', '--board', 'pi9'], /--board pi9.*expected one of .*pi4-case/],
    [['simulate', '--scenario', 'x'], /--scenario x.*expected all or one of/],
    [['completion', 'fish'], /bash, zsh.*see mobilenetd completion --help/],
  ] as const) {
    const { status, stderr } = await run(...args);
    t.equal(status, 64, args.join(' '));
    t.match(stderr.replaceAll('\n', ' '), said);
  }
});

t.test('help fits a terminal of 80 columns, down to the list of commands', async (t) => {
  const all = allCommands();
  for (const path of ['', ...commandsBelow(await wholeProgram()).map(([name]) => name)]) {
    const args = [...path.split(' ').filter((word) => word !== ''), '--help'];
    const { status, stdout } = await runInProcess(all, args, {}, 80);
    t.equal(status, 0, path);
    // A command line that is longer is not broken: it is there to be copied.
    const lines = stdout.split('\n').filter((line) => !line.startsWith('  mobilenetd '));
    t.same(
      lines.filter((line) => textWidth(line) > 80),
      [],
      path,
    );
    t.equal(stdout.match(/^Examples:$/gm)?.length, 1, `examples of ${path} are there once`);
    t.notMatch(stdout, /default: false/);
  }
});

t.test('simulate --help lists boards and scenarios', async (t) => {
  const { status, stdout } = await runInProcess(allCommands(), ['simulate', '--help'], {});
  t.equal(status, 0);
  t.match(stdout, /Boards: .*pi4-case/);
  t.match(stdout, /Scenarios: .*sun/);
  t.match(stdout, /Examples:/);
});

t.test('shells complete commands and options', async (t) => {
  const words = wordsOf(await wholeProgram());
  for (const word of ['run', 'models', '--config', '-c']) t.ok(words.get('')?.includes(word), word);
  t.ok(words.get('models')?.includes('labels'));
  t.ok(words.get('models pull')?.includes('--force'));
  t.ok(words.get('ctl log-level')?.includes('debug'));
  const complete = (...typed: string[]) => {
    const script = `${completionScript('bash', words)}
COMP_WORDS=(${['mobilenetd', ...typed].map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${typed.length}
_mobilenetd
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    t.equal(stderr, '');
    return stdout.trim().split('\n');
  };
  if (spawnSync('bash', ['-c', 'true']).status !== 0) {
    t.comment('skipped: no bash');
    return;
  }
  t.same(complete('mod'), ['models']);
  t.same(complete('models', 'la'), ['labels']);
  t.same(complete('-c', 'x.yaml', 'models', 'pull', '--fo'), ['--form', '--force']);
  t.same(complete('completion', 'z'), ['zsh']);
  const zsh = completionScript('zsh', words);
  t.match(zsh, /^#compdef mobilenetd\n/);
  if (spawnSync('zsh', ['-c', 'true']).status === 0) {
    t.equal(spawnSync('zsh', ['-n'], { input: zsh }).status, 0, 'zsh understands it');
  }
});
