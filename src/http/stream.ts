import type { ServerResponse } from 'node:http';
import type { Clock } from '../time.js';
import type { Happening, PageSource } from './contract.js';

export const MAX_STREAMS = 16;
/** Events that a viewer who reconnects is given. */
const KEPT_EVENTS = 200;
/** A reader who lets more than this wait is dropped, bytes. */
const MAX_BEHIND = 256 * 1024;
/** State once a second, and by it a sign of life. */
const STATE_MS = 1000;
/** Labels of a camera at most this often, ms. */
const LABELS_MS = 200;

/**
 * Server-sent events (HTML Living Standard, 9.2): one stream for everything a tab shows. Nothing is
 * read from the daemon while nobody listens, but the last events, which are kept for reconnects.
 */
export class Streams {
  readonly #source: PageSource;
  readonly #clock: Clock;
  readonly #open = new Map<ServerResponse, () => boolean>();
  readonly #kept: { readonly id: number; readonly text: string }[] = [];
  readonly #labelledAt = new Map<string, number>();
  readonly #stopListening: () => void;
  #lastId = 0;
  #stopState = (): void => {};

  constructor(source: PageSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
    this.#stopListening = source.listen((happening) => this.#tell(happening));
  }

  get count(): number {
    return this.#open.size;
  }

  /**
   * Serves a stream on a response whose head has not been sent.
   *
   * @param headers of the answer, besides its type
   * @param lastId of the last event that the viewer has seen; null: a new viewer. `isAdmitted`: whether he may
   *   still look, asked once a second: he may have logged out
   * @returns false when there are too many viewers
   */
  open(
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    { lastId, isAdmitted }: { readonly lastId: number | null; readonly isAdmitted: () => boolean },
  ): boolean {
    if (this.#open.size >= MAX_STREAMS) return false;
    response.writeHead(200, {
      ...headers,
      'Content-Type': 'text/event-stream',
      // nginx would hold the events back.
      'X-Accel-Buffering': 'no',
    });
    this.#open.set(response, isAdmitted);
    response.on('close', () => this.#drop(response));
    response.on('error', () => this.#drop(response));
    response.write(`retry: 3000\n\n${messageOf('state', this.#source.state())}`);
    if (lastId !== null) {
      for (const { id, text } of this.#kept) if (id > lastId) response.write(text);
    }
    if (this.#open.size === 1) this.#sendState();
    return true;
  }

  close(): void {
    this.#stopListening();
    this.#stopState();
    for (const response of this.#open.keys()) response.end();
    this.#open.clear();
  }

  #sendState(): void {
    this.#stopState = this.#clock.setTimer(() => {
      for (const [response, isAdmitted] of this.#open) if (!isAdmitted()) response.destroy();
      this.#write(messageOf('state', this.#source.state()));
      if (this.#open.size > 0) this.#sendState();
    }, STATE_MS);
  }

  #tell({ kind, data }: Happening): void {
    if (kind === 'event') {
      this.#lastId += 1;
      const text = messageOf(kind, data, this.#lastId);
      this.#kept.push({ id: this.#lastId, text });
      if (this.#kept.length > KEPT_EVENTS) this.#kept.shift();
      this.#write(text);
      return;
    }
    if (this.#open.size === 0) return;
    if (kind === 'labels' && !this.#isDue(data)) return;
    this.#write(messageOf(kind, data));
  }

  #isDue(data: object): boolean {
    const camera = 'camera' in data ? String(data.camera) : '';
    const now = this.#clock.now();
    if (now - (this.#labelledAt.get(camera) ?? Number.NEGATIVE_INFINITY) < LABELS_MS) return false;
    this.#labelledAt.set(camera, now);
    return true;
  }

  #write(text: string): void {
    for (const response of [...this.#open.keys()]) {
      // What a slow reader has not taken would grow here: he may come back and be up to date.
      if (response.writableLength > MAX_BEHIND) response.destroy();
      else response.write(text);
    }
  }

  #drop(response: ServerResponse): void {
    this.#open.delete(response);
    if (this.#open.size === 0) {
      this.#stopState();
      this.#labelledAt.clear();
    }
  }
}

function messageOf(kind: string, data: object, id?: number): string {
  const head = id === undefined ? '' : `id: ${id}\n`;
  return `${head}event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
}
