/** `ok` is as it should be, `info` is worth knowing, `warn` will trouble, `fail` keeps it from working. */
export type Level = 'ok' | 'info' | 'warn' | 'fail';

/** One thing that was looked at. Texts are sentences without a full stop. */
export interface Finding {
  /** Which check it belongs to, e.g. `power`. */
  readonly check: string;
  /** What was looked at, e.g. `/dev/video0`. */
  readonly subject: string;
  readonly level: Level;
  readonly found: string;
  /** What that means for this program; null where it goes without saying. */
  readonly means: string | null;
  /** What to do about it; null when there is nothing to do. */
  readonly next: string | null;
}

type Detail = { readonly means?: string; readonly next?: string };

/** Makes the findings of one check. */
export function findings(check: string) {
  const make =
    (level: Level) =>
    (subject: string, found: string, { means, next }: Detail = {}): Finding => ({
      check,
      subject,
      level,
      found,
      means: means ?? null,
      next: next ?? null,
    });
  return { ok: make('ok'), info: make('info'), warn: make('warn'), fail: make('fail') };
}

/** Whether anything keeps the program from working. */
export function hasFailed(all: readonly Finding[]): boolean {
  return all.some(({ level }) => level === 'fail');
}
