import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { codedError } from '../../errors.js';
import type { Prompt } from './asker.js';

export interface Terminal extends Prompt {
  close(): void;
}

/**
 * Reads lines from a terminal, one reader for the whole dialogue, so that what was typed ahead is not
 * lost. Ctrl-C calls `onInterrupt`; `signal` ends a question.
 */
export function openTerminal(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  onInterrupt: () => void,
  signal: AbortSignal,
): Terminal {
  let isMuted = false;
  const echo = new Writable({
    write(chunk, _encoding, done) {
      if (!isMuted) output.write(chunk);
      done();
    },
  });
  const reader = createInterface({ input, output: echo, terminal: true, historySize: 0 });
  const typedAhead: string[] = [];
  let waiting: { resolve: (line: string) => void; reject: (reason: unknown) => void } | null = null;
  let isClosed = false;
  reader.on('SIGINT', onInterrupt);
  reader.on('line', (line) => {
    if (waiting === null) typedAhead.push(line);
    else waiting.resolve(line);
    waiting = null;
  });
  reader.on('close', () => {
    isClosed = true;
    waiting?.reject(ended());
    waiting = null;
  });
  signal.addEventListener('abort', () => {
    waiting?.reject(signal.reason);
    waiting = null;
  });
  return {
    async readLine(question, secret) {
      signal.throwIfAborted();
      reader.setPrompt(question);
      reader.prompt();
      isMuted = secret;
      try {
        const ready = typedAhead.shift();
        if (ready !== undefined) return ready;
        if (isClosed) throw ended();
        return await new Promise<string>((resolve, reject) => {
          waiting = { resolve, reject };
        });
      } finally {
        isMuted = false;
        if (secret) output.write('\n');
      }
    },
    close: () => reader.close(),
  };
}

function ended(): Error {
  return codedError('MND_USAGE', {
    subject: 'setup',
    expected: 'an answer',
    found: 'the end of the input',
    next: 'nothing was written; answer by options and --yes where there is no terminal',
  });
}
