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

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
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

export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(`api/v1/${path}`, { credentials: 'same-origin', ...init });
  if (answer.ok) return answer;
  const { code = '', message = `${answer.status}` } = await answer.json().catch(() => ({}));
  if (answer.status === 401) session.value = { user: null, role: null, login: true };
  throw new ApiError(answer.status, code, message);
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
    trouble.value = source.readyState === EventSource.CLOSED ? WORDS.refusedStream : WORDS.lost;
    // A refusal (too many viewers) ends a stream for good: it is tried again, slowly.
    if (source.readyState === EventSource.CLOSED) setTimeout(begin, 30_000);
  };
}

/** Asks who we are, and listens when we may. */
export async function begin(): Promise<void> {
  try {
    session.value = await get<Session>('session');
    listen();
  } catch {
    trouble.value = WORDS.lost;
    setTimeout(begin, 5000);
  }
}

document.addEventListener('visibilitychange', () => {
  isHidden.value = document.hidden;
  listen();
});

/** What a camera shows now, stream and state taken together. */
export function labelsOf(camera: Camera): readonly LabelOnPicture[] {
  // A camera that is away shows nothing, whatever its last frame had.
  return camera.status === 'online' ? (labels.value[camera.name] ?? camera.labels) : [];
}

/** Whether something was set by hand: `threshold/front`, `limit`. */
export function isOverridden(key: string): boolean {
  return state.value?.overrides.some((each) => each.key === key) === true;
}

export function mayChange(): boolean {
  return session.value?.role === 'admin';
}
