import { Argument } from 'commander';
import { askDaemon } from '../control/client.js';
import type { Register } from './command.js';
import { writeLine } from './output.js';
import { socketsOf } from './sockets.js';

/** A reload may fetch and convert a model. */
const RELOAD_TIMEOUT_MS = 600_000;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export const register: Register = (program, context) => {
  const ctl = program
    .command('ctl')
    .summary('tell the running daemon something: log-level, reload, reset')
    .description(
      'Speaks to the running daemon over its control socket; exits with 69 when none runs.',
    );
  ctl
    .command('log-level')
    .description('show or set what is logged, until the next reload or restart')
    .addArgument(new Argument('[level]', 'least severity').choices(LEVELS))
    .action(async (level: string | undefined) => {
      const request = { verb: 'log-level', level: level ?? null } as const;
      const answer = await askDaemon(request, socketsOf(context));
      writeLine(context.stdout, 'level' in answer ? String(answer.level) : 'unknown');
    });
  ctl
    .command('reload')
    .description('read the configuration again, and say what changed or why it is refused')
    .action(async () => {
      const places = socketsOf(context);
      const answer = await askDaemon({ verb: 'reload' }, { ...places, timeout: RELOAD_TIMEOUT_MS });
      writeLine(context.stdout, 'done' in answer ? String(answer.done) : 'done');
    });
  ctl
    .command('reset')
    .description(
      'go back to what the file says: of a key, or of everything that was set at run time',
    )
    .addArgument(
      new Argument(
        '[key]',
        'detect/CAMERA, threshold/CAMERA, pin or limit; `status` shows what is set',
      ),
    )
    .action(async (key: string | undefined) => {
      const request = { verb: 'reset', key: key ?? null } as const;
      const answer = await askDaemon(request, socketsOf(context));
      const done = 'reset' in answer && Array.isArray(answer.reset) ? answer.reset : [];
      const text = done.length === 0 ? 'nothing was set' : `as the file says: ${done.join(', ')}`;
      writeLine(context.stdout, text);
    });
};
