/**
 * The control socket speaks one request and one answer a connection, each a line of JSON. It is for
 * the local `mobilenetd status` and `mobilenetd ctl`: whoever may open the socket (its owner and its
 * group) may ask; nothing that is asked can show a secret.
 */
export type ControlRequest =
  | { readonly verb: 'status' }
  | { readonly verb: 'log-level'; readonly level: string | null }
  | { readonly verb: 'reload' }
  /** Calls an event wrong, undoes that, or (both null) lists what is kept back. */
  | { readonly verb: 'wrong'; readonly event: string | null; readonly undo: string | null }
  | TeachRequest
  /** Back to what the file says: of one key, or of everything that was set at run time. */
  | { readonly verb: 'reset'; readonly key: string | null };

/** What the running daemon is asked of teaching; see daemon/taught. */
export type TeachRequest =
  /** Looks at what was taught meanwhile by others. */
  | { readonly verb: 'teach'; readonly do: 'look' }
  /** Begins to record; the answer has the session. */
  | ({ readonly verb: 'teach'; readonly do: 'record' } & RecordRequest)
  /** How a recording is, and (with `end`) ends it. */
  | { readonly verb: 'teach'; readonly do: 'session'; readonly id: string; readonly end: boolean };

/** What is recorded. */
export interface RecordRequest {
  readonly label: string | null;
  readonly camera: string;
  readonly zone: string | null;
  readonly of: readonly string[] | null;
  /** Seconds. */
  readonly seconds: number;
}

export type ControlAnswer =
  | { readonly ok: true; readonly value: object }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Bytes of the longest request; an answer may be larger. */
export const MAX_REQUEST = 4096;
export const MAX_ANSWER = 1024 * 1024;

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
  if (value.verb === 'reset') {
    const key = 'key' in value ? value.key : null;
    return key === null || typeof key === 'string' ? { verb: 'reset', key } : null;
  }
  if (value.verb === 'wrong') {
    const event = 'event' in value ? value.event : null;
    const undo = 'undo' in value ? value.undo : null;
    const isText = (each: unknown) => each === null || typeof each === 'string';
    if (!isText(event) || !isText(undo)) return null;
    return { verb: 'wrong', event: event as string | null, undo: undo as string | null };
  }
  if (value.verb === 'teach') return parseTeach(new Map(Object.entries(value)));
  if (value.verb !== 'log-level') return null;
  const level = 'level' in value ? value.level : null;
  return level === null || typeof level === 'string' ? { verb: 'log-level', level } : null;
}

const LONGEST_RECORDING_S = 600;

function parseTeach(fields: ReadonlyMap<string, unknown>): TeachRequest | null {
  const verb = 'teach';
  const [id, end] = [fields.get('id'), fields.get('end')];
  switch (fields.get('do')) {
    case 'look':
      return { verb, do: 'look' };
    case 'session':
      if (typeof id !== 'string' || typeof end !== 'boolean') return null;
      return { verb, do: 'session', id, end };
    case 'record': {
      const label = fields.get('label') ?? null;
      const zone = fields.get('zone') ?? null;
      const [camera, seconds, of = null] = ['camera', 'seconds', 'of'].map((key) =>
        fields.get(key),
      );
      const isText = (each: unknown): each is string | null =>
        each === null || typeof each === 'string';
      if (!isText(label) || !isText(zone) || typeof camera !== 'string') return null;
      const isTime = typeof seconds === 'number' && seconds > 0 && seconds <= LONGEST_RECORDING_S;
      const isList = (each: unknown): each is string[] =>
        Array.isArray(each) && each.every((one) => typeof one === 'string');
      if (!isTime || !(of === null || isList(of))) return null;
      return { verb, do: 'record', label, zone, camera, seconds, of };
    }
    default:
      return null;
  }
}
