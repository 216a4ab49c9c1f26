import type { SourceNotice } from '../../camera/sources/description.js';

/** What a source had to say of one kind, and how often. */
export interface CameraNotice {
  readonly kind: SourceNotice['kind'];
  readonly count: number;
  /** First and last time, milliseconds since the epoch. */
  readonly since: number;
  readonly last: number;
  /** The last one, in a sentence. */
  readonly message: string;
}

/** Keeps what a camera's source refused or found odd since the start: one entry a kind. */
export class CameraNotices {
  readonly #byKind = new Map<SourceNotice['kind'], CameraNotice>();
  readonly #now: () => number;

  /** @param now wall clock, milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  add({ kind, message }: SourceNotice): void {
    const now = this.#now();
    const before = this.#byKind.get(kind);
    this.#byKind.set(kind, {
      kind,
      count: (before?.count ?? 0) + 1,
      since: before?.since ?? now,
      last: now,
      message,
    });
  }

  /** The clock was set: times move along. */
  shift(ms: number): void {
    for (const notice of this.list()) {
      const { kind, since, last } = notice;
      this.#byKind.set(kind, { ...notice, since: since + ms, last: last + ms });
    }
  }

  list(): readonly CameraNotice[] {
    return [...this.#byKind.values()];
  }
}

/** A notice as others are told of it: times in ISO 8601. */
export function noticePayload({ kind, count, since, last, message }: CameraNotice) {
  return {
    kind,
    count,
    since: new Date(since).toISOString(),
    last: new Date(last).toISOString(),
    message,
  };
}
