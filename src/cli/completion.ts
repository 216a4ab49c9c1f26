// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shells write their variables so
import { Argument, type Command } from 'commander';
import type { Register } from './command.js';

const SHELLS = ['bash', 'zsh'] as const;

type Shell = (typeof SHELLS)[number];

export const register: Register = (program, context) => {
  program
    .command('completion')
    .summary('print the script by which bash or zsh complete command lines')
    .description('Prints a script for the shell, made from the commands and their options.')
    .addArgument(new Argument('<shell>', 'whose script').choices(SHELLS))
    .action(async (shell: Shell) => {
      context.stdout.write(completionScript(shell, wordsOf(program)));
    });
};

/** What may follow a command: its subcommands and options, by the words that lead to it. */
export type CompletionWords = ReadonlyMap<string, readonly string[]>;

/** Every command below a program, with the options of all that lead to it. */
export function wordsOf(program: Command): CompletionWords {
  const words = new Map<string, readonly string[]>();
  const visit = (command: Command, path: readonly string[], inherited: readonly string[]) => {
    const own = command.options
      .filter(({ hidden }) => !hidden)
      .flatMap(({ long, short }) => [long, short])
      .filter((option) => option !== undefined && option !== null);
    const options = [...inherited, ...own];
    const names = command.commands.map((below) => below.name());
    const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
    words.set(path.join(' '), [...names, ...choices, ...options, '--help']);
    for (const below of command.commands) visit(below, [...path, below.name()], options);
  };
  visit(program, [], []);
  return words;
}

/** The script of a shell. File names are completed where nothing else fits. */
export function completionScript(shell: Shell, words: CompletionWords): string {
  const cases = [...words].map(
    ([path, following]) =>
      `    ${JSON.stringify(path)}) words=${JSON.stringify(following.join(' '))} ;;`,
  );
  const commands = [...words.keys()].filter((path) => path !== '');
  // Leading words that name a command; options and their values between them are skipped.
  const walk = [
    '  local path="" word candidate',
    ...(shell === 'bash'
      ? ['  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do']
      : ['  for word in "${(@)words[2,CURRENT-1]}"; do']),
    '    candidate="${path:+$path }$word"',
    `    case ${'"$candidate"'} in ${commands.map((path) => JSON.stringify(path)).join('|')}) path="$candidate" ;; esac`,
    '  done',
  ];
  if (shell === 'bash') {
    return [
      '# bash completion of mobilenetd; made by `mobilenetd completion bash`',
      '_mobilenetd() {',
      ...walk,
      '  local words=""',
      '  case "$path" in',
      ...cases,
      '  esac',
      '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
      '}',
      'complete -o default -F _mobilenetd mobilenetd',
      '',
    ].join('\n');
  }
  return [
    '#compdef mobilenetd',
    '# zsh completion of mobilenetd; made by `mobilenetd completion zsh`',
    '_mobilenetd() {',
    ...walk,
    '  local choices=""',
    '  case "$path" in',
    ...cases.map((line) => line.replace(' words=', ' choices=')),
    '  esac',
    '  compadd -- ${(z)choices}',
    '  _files',
    '}',
    'compdef _mobilenetd mobilenetd 2>/dev/null || true',
    '',
  ].join('\n');
}
