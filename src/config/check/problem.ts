import type { CodedError } from '../../errors.js';
import { codedError } from '../../errors.js';
import { createMasker, maskAddresses } from '../../mask.js';

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** `FILE:LINE`, `FILE`, an environment variable, `--flag` or `default`. */
  readonly where: string;
  /** Dotted key, or an empty string when the file as a whole is meant. */
  readonly key: string;
  readonly message: string;
}

/** MND_CONFIG_INVALID with everything that is wrong. */
export interface ConfigError extends CodedError {
  readonly problems: readonly ConfigProblem[];
}

/** `secrets`: texts that must not stand in a message. */
export function configError(
  found: readonly ConfigProblem[],
  secrets: Iterable<string> = [],
): ConfigError {
  const mask = createMasker(secrets);
  // Keys are shown as they were written, and a slip may make a key of an address.
  const problems = found.map(({ where, key, message }) => ({
    where,
    key: mask(key),
    message: mask(message),
  }));
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `\n  ${describeProblem(problem)}`);
  return Object.assign(codedError('MND_CONFIG_INVALID', { found: count + lines.join('') }), {
    problems,
  });
}

export function isConfigError(error: unknown): error is ConfigError {
  return error instanceof Error && 'problems' in error && Array.isArray(error.problems);
}

export function describeProblem({ where, key, message }: ConfigProblem): string {
  return key === '' ? `${where}: ${message}` : `${where}: ${key}: ${message}`;
}

const SHOWN_LENGTH = 60;

/** What was found, without the contents of anything that may be a secret. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length <= 4 ? shortList(value) : 'a list';
  if (typeof value === 'object') return 'a section';
  if (typeof value !== 'string') return String(value);
  return `text ${JSON.stringify(shorten(maskAddresses(value)))}`;
}

function shortList(values: readonly unknown[]): string {
  const plain = values.every((value) => typeof value === 'number');
  return plain ? `[${values.join(', ')}]` : 'a list';
}

function shorten(text: string): string {
  return text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH)}…`;
}

/** Reports a problem at a dotted key, unless one of the keys it depends on has a problem already. */
export type Report = (
  path: readonly string[],
  message: string,
  dependsOn?: readonly string[],
) => void;
