/**
 * The control socket speaks one request and one answer a connection, each a line of JSON. It is for
 * the local `mobilenetd status` and `mobilenetd ctl`: whoever may open the socket (its owner and its
 * group) may ask; nothing that is asked can show a secret.
 */
export type ControlRequest =
  | { readonly verb: 'status' }
  | { readonly verb: 'log-level'; readonly level: string | null }
  | { readonly verb: 'reload' };

export type ControlAnswer =
  | { readonly ok: true; readonly value: object }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Bytes of the longest request; an answer may be larger. */
export const MAX_REQUEST = 4096;
export const MAX_ANSWER = 1024 * 1024;

export interface CameraReport {
  readonly name: string;
  readonly status: 'online' | 'offline' | 'ended' | 'disabled';
  /** Why it has this status; null when there is nothing to say. */
  readonly reason: string | null;
  /** Frames a second that are asked of it. */
  readonly fps: number;
  /** Frames that gave way to newer ones. */
  readonly dropped: number;
}

/** What the daemon says of itself. Times in seconds unless named, memory in MB (10⁶ bytes). */
export interface StatusReport {
  readonly version: string;
  readonly pid: number;
  readonly node: string;
  readonly state_dir: string;
  /** Since the process started. */
  readonly uptime_s: number;
  /** False before the first frame has been labelled. */
  readonly ready: boolean;
  readonly log_level: string;
  readonly rss_mb: number;
  /** What runs; null while everything starts anew. */
  readonly running: RunningReport | null;
}

export interface RunningReport {
  readonly model: { readonly name: string; readonly form: string };
  /** The last payload of `<base>/governor`; null without a governor. */
  readonly governor: Readonly<Record<string, unknown>> | null;
  /** Labelled frames a second over the last ten seconds. */
  readonly fps: number;
  /** Medians of the same time, milliseconds. */
  readonly latency_ms: number | null;
  readonly age_ms: number | null;
  readonly temperature: number | null;
  readonly throttled: boolean | null;
  readonly undervoltage: boolean | null;
  readonly cameras: readonly CameraReport[];
  readonly broker: {
    /** Without a user name and password. */
    readonly url: string;
    readonly embedded: boolean;
    readonly connected: boolean;
  };
  /** Messages that wait for the broker, and that were given up. */
  readonly outbox: number;
  readonly dropped_messages: number;
  /** Frames whose inference failed. */
  readonly failed: number;
}

/** A request of a line of JSON; null for anything else. */
export function parseRequest(line: string): ControlRequest | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('verb' in value)) return null;
  if (value.verb === 'status' || value.verb === 'reload') return { verb: value.verb };
  if (value.verb !== 'log-level') return null;
  const level = 'level' in value ? value.level : null;
  return level === null || typeof level === 'string' ? { verb: 'log-level', level } : null;
}
