import { createRequire } from 'node:module';
import type { LogFn, Logger } from 'pino';
import { pino, stdSerializers, stdTimeFunctions } from 'pino';
import { isCodedError } from '../../errors.js';
import { createMasker, MASK } from '../../mask.js';
import { journalLine } from './journal.js';
import type { LogTail } from './log-tail.js';

export type Log = Logger;

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** The least severity that is logged, which can be changed while loggers and their children live. */
export interface LevelSwitch {
  get(): LogLevel;
  /** What is in force without a change by hand. */
  configured(): LogLevel;
  /** Until the next configuration. */
  set(level: LogLevel): void;
  /** As the configuration says; a change by hand ends. */
  configure(level: LogLevel): void;
}

export function createLevelSwitch(level: LogLevel): LevelSwitch {
  let configured = level;
  let current = level;
  return {
    get: () => current,
    configured: () => configured,
    set(next) {
      current = next;
    },
    configure(next) {
      configured = next;
      current = next;
    },
  };
}

export const LOG_LEVELS: readonly LogLevel[] = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
  'silent',
];

export interface LogOptions {
  readonly level: LogLevel | LevelSwitch;
  /** auto is pretty when the destination is a terminal, and text with priorities in the journal. */
  readonly format: 'auto' | 'pretty' | 'json';
  readonly destination: NodeJS.WritableStream;
  /** The destination is the systemd journal. */
  readonly journal?: boolean;
  /** `NO_COLOR` (https://no-color.org) and `TERM=dumb` take the colours away. */
  readonly env?: NodeJS.ProcessEnv;
  /**
   * Texts that never reach the destination (config/secrets.ts has `secretsOf`). A function is asked
   * for each line, since a reload brings new ones.
   */
  readonly secrets?: readonly string[] | (() => readonly string[]);
  /** Keeps the newest lines, masked, for those who look later. */
  readonly tail?: LogTail;
}

/** Names of fields whose value is never logged, at the top of a line and one level below. */
const SECRET_FIELDS = ['password', 'passwd', 'secret', 'token', 'authorization', 'credentials'];

/**
 * The daemon's log: one line an entry, written at once (nothing is lost in a crash), with ISO times
 * in JSON. Secret fields, user information of addresses and `secrets` are masked. `log.child({
 * component: 'mqtt' })` marks the lines of a component.
 */
export function createLog(options: LogOptions): Log {
  const { level, format, destination, journal = false, env = {}, secrets = [], tail } = options;
  const terminal = 'isTTY' in destination && destination.isTTY === true;
  const masked = {
    write: (line: string) => {
      const mask = createMasker(typeof secrets === 'function' ? secrets() : secrets);
      const masked = mask(line);
      destination.write(masked);
      tail?.add(masked);
    },
  };
  const pretty = format === 'pretty' || (format === 'auto' && terminal);
  const threshold = typeof level === 'string' ? createLevelSwitch(level) : level;
  const settings = {
    level: 'trace',
    hooks: {
      // A child of pino's keeps the level it was born with; this one is asked for every line.
      logMethod(this: Logger, args: Parameters<LogFn>, method: LogFn, severity: number) {
        if (severity >= (pino.levels.values[threshold.get()] ?? Infinity)) method.apply(this, args);
      },
    },
    base: null,
    serializers: { err: shownError },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: MASK,
    },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: stdTimeFunctions.isoTime,
  };
  if (pretty) return pino(settings, prettyStream(masked, terminal && wantsColours(env)));
  if (!journal || format === 'json') return pino(settings, masked);
  return pino(settings, { write: (line: string) => masked.write(journalLine(line)) });
}

function wantsColours(env: NodeJS.ProcessEnv): boolean {
  return (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

function prettyStream(target: { write(line: string): void }, colours: boolean) {
  // A service logs JSON lines and starts faster without it.
  const pinoPretty = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  const format = pinoPretty.prettyFactory({
    colorize: colours,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'component',
    messageFormat: (entry, key) =>
      `${entry.component === undefined ? '' : `${entry.component}: `}${entry[key] ?? ''}`,
    singleLine: true,
  });
  return { write: (line: string) => target.write(format(line)) };
}

/** A coded error says all there is to know; a stack is for what nobody expected. */
function shownError(error: unknown): unknown {
  if (isCodedError(error)) return { code: error.code, message: error.message };
  return error instanceof Error ? stdSerializers.err(error) : error;
}
