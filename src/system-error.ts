import { messageOf } from './errors.js';

/** What to do next about what the system says, by its code, e.g. `ENOSPC`: words of one subject. */
export type SystemAdvice = Readonly<Record<string, string>>;

/** The code of an error of the system or of Node, e.g. `ENOSPC`. */
export function errorCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether the system says that this user may not. */
export function isPermission(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(errorCodeOf(error) ?? '');
}

/** What a table says of an error; undefined: nothing. */
export function adviceOf<T>(error: unknown, words: Readonly<Record<string, T>>): T | undefined {
  const code = errorCodeOf(error) ?? '';
  return Object.hasOwn(words, code) ? words[code] : undefined;
}

/** What was found and what to do next, as the detail of a coded error. @param otherwise advice for the rest */
export function systemDetail(
  cause: unknown,
  words: SystemAdvice,
  otherwise: string,
): { readonly found: string; readonly next: string; readonly cause: unknown } {
  const found = isPermission(cause) ? 'no permission' : messageOf(cause);
  return { found, next: adviceOf(cause, words) ?? otherwise, cause };
}
