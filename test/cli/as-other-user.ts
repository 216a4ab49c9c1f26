// Run by test/cli/foreign-service.test.ts as another user: runs command lines, and prints what each came to.
import { allCommands } from './all-commands.js';
import { runInProcess } from './in-process.js';

const lines: readonly (readonly string[])[] = JSON.parse(process.argv[2] ?? '[]');
const commands = allCommands();
const outcomes = [];
for (const args of lines) {
  const { status, stdout, stderr } = await runInProcess(commands, args, process.env);
  outcomes.push({ args, status, stdout, stderr });
}
process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));
