import { list, number, text } from '../../schema/format.js';
import { key } from '../../schema/section.js';
import { describeChannel } from '../channel.js';
import { documentOf } from '../notice.js';
import { runCommand } from '../run-command.js';
import { render } from '../template.js';

const KEYS = {
  run: key(
    list(
      text('an argument', /^/u, 4096),
      'a program and its arguments, e.g. [/usr/local/bin/alarm, "{{label}}"]',
      {
        max: 64,
      },
    ),
    [],
    'Program and arguments, with {{fields}}: no shell is involved. The event is its standard input, as JSON.',
  ),
  timeout: key(
    number(0.1, 600, 'seconds'),
    10,
    'How long it may run, seconds; then it is ended, with all that it has started.',
  ),
} as const;

/** Variables of ours that a program gets; no other of the daemon's, which may hold secrets. */
const KEPT = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'USER', 'TMPDIR', 'XDG_RUNTIME_DIR'] as const;

/** A program of yours. */
export const COMMAND = describeChannel({
  summary: 'a program of yours',
  keys: KEYS,
  secrets: [],
  isWanted: ({ run }) => run.length > 0,
  faults: ({ run: [program = ''] }) =>
    program.trim() === '' || program.includes('{{')
      ? [{ key: ['run'], message: 'expected a program first, which is no template' }]
      : [],
  templates: ({ run }) => run.map((argument) => ['run', argument]),
  target: ({ run: [program = ''] }) => program,
  create({ run, timeout }, { env, folder }) {
    const kept = Object.fromEntries(
      KEPT.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
    );
    return async (message, signal) => {
      const { notice, title, text: words, pictureFile } = message;
      const [program = '', ...rest] = run;
      const result = await runCommand(
        {
          program,
          args: rest.map((argument) => render(argument, notice)),
          env: {
            ...kept,
            MOBILENETD_RULE: notice.rule,
            MOBILENETD_TITLE: title,
            MOBILENETD_MESSAGE: words,
            MOBILENETD_PICTURE: pictureFile ?? '',
          },
          folder,
          input: `${JSON.stringify(documentOf(message))}\n`,
          timeoutMs: timeout * 1000,
        },
        signal,
      );
      return result === null ? { kind: 'done' } : { kind: 'later', why: result, afterMs: null };
    };
  },
});
