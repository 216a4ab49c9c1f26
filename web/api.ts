import { signal } from '@preact/signals';
import type { Camera, EventRow, LabelOnPicture, Session, State } from './types.js';
import { WORDS } from './words.js';

/** Everything at a glance; null before the first answer. */
export const state = signal<State | null>(null);
export const session = signal<Session | null>(null);
/** Why nothing new comes; null while it does. */
export const trouble = signal<string | null>(null);
/** Labels on the newest frame of each camera. */
export const labels = signal<Readonly<Record<string, readonly LabelOnPicture[]>>>({});
/** Events of this visit, the newest first; the last change of each. */
export const fresh = signal<readonly EventRow[]>([]);
export const isHidden = signal(document.hidden);

const MAX_FRESH = 50;

/** An answer that says why not. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  /** When it may be asked again, s; 0: nobody says. */
  readonly retryAfterS: number;

  constructor(status: number, code: string, message: string, retryAfterS = 0) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

/** Relative to the page, so that any prefix of a proxy holds. */
export async function get<T>(path: string, abort?: AbortSignal): Promise<T> {
  return (await ask(path, { signal: abort ?? null })).json() as Promise<T>;
}

export async function post(path: string, body: object = {}): Promise<Record<string, unknown>> {
  const answer = await ask(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return answer.json();
}

/** @throws ApiError; status 0: nobody answers */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(`api/v1/${path}`, { credentials: 'same-origin', ...init }).catch(
    (cause: Error) => {
      throw cause.name === 'AbortError' ? cause : new ApiError(0, '', WORDS.lost);
    },
  );
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 401 && body.code === 'MND_HTTP_LOGIN' && path !== 'login') {
    session.value = { user: null, role: null, login: true };
  }
  const { code = '', message = wordsOf(answer.status, body) } = body;
  throw new ApiError(answer.status, code, message, Number(answer.headers.get('Retry-After') ?? 0));
}

/** Of an answer that gives no reason: the daemon's while it starts, or a proxy's. */
function wordsOf(
  status: number,
  body: { readonly phase?: string; readonly doing?: string | null },
) {
  if (body.phase !== 'starting') return WORDS.refused(status);
  const doing = body.doing ?? '';
  return doing === '' ? WORDS.phases.starting : `${WORDS.phases.starting} ${doing}`;
}

/** An event that was deleted is no event of this visit either. */
export function drop(id: string): void {
  fresh.value = fresh.value.filter((event) => event.id !== id);
}

let stream: EventSource | null = null;

/** One stream a tab, and none while the tab is hidden. */
function listen(): void {
  stream?.close();
  stream = null;
  if (isHidden.value || session.value?.role == null) return;
  const source = new EventSource('api/v1/stream');
  stream = source;
  const on = <T>(kind: string, take: (value: T) => void) =>
    source.addEventListener(kind, (message: MessageEvent<string>) => {
      trouble.value = null;
      take(JSON.parse(message.data));
    });
  on<State>('state', (value) => {
    state.value = value;
  });
  on<{ camera: string; labels: readonly LabelOnPicture[] }>('labels', (value) => {
    labels.value = { ...labels.value, [value.camera]: value.labels };
  });
  on<EventRow>('event', (event) => {
    const others = fresh.value.filter(({ id }) => id !== event.id);
    fresh.value = [event, ...others].slice(0, MAX_FRESH);
  });
  source.onerror = () => {
    // What breaks off is tried again by the browser; what is refused ends for good, without a word why.
    if (source.readyState === EventSource.CLOSED) void begin(true);
    else trouble.value = WORDS.lost;
  };
}

let retry: ReturnType<typeof setTimeout> | undefined;

/**
 * Asks who we are, and listens when we may.
 *
 * @param isRefused whether a stream has just been: who may look and is refused is one too many
 */
export async function begin(isRefused = false): Promise<void> {
  clearTimeout(retry);
  try {
    session.value = await get<Session>('session');
    const mayLook = session.value.role !== null;
    trouble.value = isRefused && mayLook ? WORDS.refusedStream : null;
    if (isRefused && mayLook) retry = setTimeout(begin, 30_000);
    else listen();
  } catch (error) {
    trouble.value = error instanceof Error ? error.message : WORDS.lost;
    retry = setTimeout(begin, 3000);
  }
}

/** Nothing of what somebody saw stays for the next one. */
export function forgetAll(): void {
  state.value = null;
  labels.value = {};
  fresh.value = [];
}

document.addEventListener('visibilitychange', () => {
  isHidden.value = document.hidden;
  listen();
});

/**
 * What a camera shows now, stream and state taken together: boxes of its newest frame, and what is present
 * that has none. (Of a frame as a whole every likely name is told, most of which are wrong.)
 */
export function labelsOf(camera: Camera): readonly LabelOnPicture[] {
  // A camera that is away shows nothing, whatever its last frame had.
  if (camera.status !== 'online') return [];
  const newest = labels.value[camera.name] ?? camera.labels;
  return [
    ...newest.filter(({ box }) => box !== null),
    ...camera.present.filter(({ box }) => box === null),
  ];
}

/** Whether something was set by hand: `threshold/front`, `limit`. */
export function isOverridden(key: string): boolean {
  return state.value?.overrides.some((each) => each.key === key) === true;
}

export function mayChange(): boolean {
  return session.value?.role === 'admin';
}
