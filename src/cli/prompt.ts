import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { CommandContext } from './command.js';

/**
 * Asks on the terminal that standard input is, and resolves with the line that was typed; with nothing
 * after Ctrl-D. A `hidden` answer is not shown. Throws the signal's reason after Ctrl-C.
 */
export async function ask(
  question: string,
  { stderr, signal }: Pick<CommandContext, 'stderr' | 'signal'>,
  { hidden = false } = {},
): Promise<string> {
  signal.throwIfAborted();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (hidden) stderr.write(question);
  const terminal = createInterface({
    input: process.stdin,
    output: hidden ? nowhere : stderr,
    terminal: true,
  });
  let typed: string | null = null;
  try {
    return await new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      // A terminal that reads single keys sends no signal.
      terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      terminal.once('close', () => {
        signal.removeEventListener('abort', abort);
        resolve('');
      });
      terminal.question(hidden ? '' : question, (answer) => {
        typed = answer;
        resolve(answer);
      });
    });
  } finally {
    terminal.close();
    // The cursor still stands behind the question.
    if (hidden || typed === null) stderr.write('\n');
  }
}
