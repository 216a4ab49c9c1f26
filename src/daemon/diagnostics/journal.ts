import { fstatSync } from 'node:fs';

/** Severities of syslog(3), which the journal reads from `<N>` at the beginning of a line. */
const PRIORITIES: Readonly<Record<string, number>> = {
  trace: 7,
  debug: 7,
  info: 6,
  warn: 4,
  error: 3,
  fatal: 2,
};

/**
 * Whether a stream of this process goes to the systemd journal (systemd.exec(5), `JOURNAL_STREAM`): it
 * has the device and number that systemd has named. A child whose output was redirected inherits the
 * variable, but not the stream.
 */
export function goesToJournal(env: NodeJS.ProcessEnv, descriptor: number): boolean {
  const named = env.JOURNAL_STREAM;
  if (named === undefined) return false;
  try {
    const { dev, ino } = fstatSync(descriptor);
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/**
 * A JSON line of the log as the journal takes it: with its priority, and without the time, which the
 * journal has itself.
 */
export function journalLine(line: string): string {
  const { level, time: _, component, part, msg, err, ...fields } = JSON.parse(line) as Entry;
  const priority = PRIORITIES[String(level)] ?? PRIORITIES.info;
  const from = component ?? part;
  const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
  const text = `${from === undefined ? '' : `${String(from)}: `}${String(msg ?? '')}${rest}${errorText(err)}`;
  return text
    .split('\n')
    .map((piece) => `<${priority}>${piece}\n`)
    .join('');
}

type Entry = Readonly<Record<string, unknown>>;

/** Of an error only the stack is not in the message already. */
function errorText(error: unknown): string {
  const stack =
    typeof error === 'object' && error !== null && 'stack' in error ? error.stack : null;
  return typeof stack === 'string' ? `\n${stack}` : '';
}
