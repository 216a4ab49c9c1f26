/** What stands in place of a secret. */
export const MASK = '********';

/**
 * Masks user names and passwords of addresses (`mqtt://user:pass@host`) anywhere in a text. The user
 * information reaches to the last `@` before white space, a quote or a slash, so that a password
 * with an `@` of its own is covered.
 */
export function maskUrls(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s/"'<>]*@/gi, `$1${MASK}@`);
}
