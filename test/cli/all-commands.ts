import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { CommandContext, CommandEntry, Register } from '#mobilenetd/cli/command.js';

/** Every command of the program, as main.ts has them, with what registers it. */
export function allCommands(): readonly CommandEntry[] {
  const main = readFileSync('dist/cli/main.js', 'utf8');
  const rows = [...main.matchAll(/name: '([^']+)',[\s\S]*?import\('\.\/([^']+)\.js'\)/g)];
  return rows.map(([, name = '', file = '']) => ({
    name,
    summary: name,
    load: () =>
      import(join(process.cwd(), 'dist/cli', `${file}.js`)) as Promise<{ register: Register }>,
  }));
}

/** The program with all its commands, none of which can be run. */
export async function wholeProgram(): Promise<Command> {
  const root = new Command('mobilenetd').option('-c, --config <file>').option('--debug');
  for (const entry of allCommands()) {
    const { register } = await entry.load();
    register(root, {} as CommandContext);
  }
  return root;
}

/** Every command below another, by the words that lead to it. */
export function commandsBelow(
  command: Command,
  path: readonly string[] = [],
): readonly [string, Command][] {
  return command.commands.flatMap((below) => {
    const name = [...path, below.name()];
    return [[name.join(' '), below] as [string, Command], ...commandsBelow(below, name)];
  });
}
