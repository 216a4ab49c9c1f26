import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Clock } from '../time.js';
import type { Happening, PageSource } from './contract.js';

export const MAX_STREAMS = 16;
/** Events that a viewer who reconnects is given. */
const KEPT_EVENTS = 200;
/** A reader who lets more than this wait is dropped, bytes. */
const MAX_BEHIND = 256 * 1024;
/** What is not urgent is told together, as often as a picture is coded, ms: each write costs as much as a label. */
const TICK_MS = 500;
/** State every so many ticks, and by it a sign of life. */
const STATE_TICKS = 2;

/**
 * Server-sent events (HTML Living Standard, 9.2): one stream for everything a tab shows. Nothing is
 * read from the daemon while nobody listens, but the last events, which are kept for reconnects.
 */
export class Streams {
  readonly #source: PageSource;
  readonly #clock: Clock;
  readonly #open = new Map<ServerResponse, () => boolean>();
  readonly #kept: { readonly number: number; readonly text: string }[] = [];
  /** Number of the frame of each camera whose labels were told last. */
  readonly #sent = new Map<string, number>();
  readonly #stopListening: () => void;
  /** Of the ids of events: those of another run number other events. */
  readonly #run = randomBytes(4).toString('hex');
  #lastNumber = 0;
  #stopTicks = (): void => {};

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
   * @param lastId of the last event that the viewer has seen, as he says; null: a new viewer. `isAdmitted`:
   *   whether he may still look, asked once a second: he may have logged out
   * @returns false when there are too many viewers
   */
  open(
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    { lastId, isAdmitted }: { readonly lastId: string | null; readonly isAdmitted: () => boolean },
  ): boolean {
    if (this.#open.size >= MAX_STREAMS) return false;
    // It ends with its connection: chunks would take a second write each.
    response.useChunkedEncodingByDefault = false;
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
      const seen = this.#numberOf(lastId);
      for (const { number, text } of this.#kept) if (number > seen) response.write(text);
    }
    if (this.#open.size === 1) this.#tick(1);
    return true;
  }

  close(): void {
    this.#stopListening();
    this.#stopTicks();
    for (const response of this.#open.keys()) response.end();
    this.#open.clear();
  }

  /** @param count how many there have been since the first viewer came */
  #tick(count: number): void {
    this.#stopTicks = this.#clock.setTimer(() => {
      const isDue = count % STATE_TICKS === 0;
      if (isDue) this.#dropUnadmitted();
      const state = isDue ? messageOf('state', this.#source.state()) : '';
      this.#write(this.#newLabels() + state);
      if (this.#open.size > 0) this.#tick(count + 1);
    }, TICK_MS);
  }

  #dropUnadmitted(): void {
    for (const [response, isAdmitted] of this.#open) if (!isAdmitted()) response.destroy();
  }

  #tell({ kind, data }: Happening): void {
    if (kind === 'event') {
      this.#lastNumber += 1;
      const text = messageOf(kind, data, `${this.#run}-${this.#lastNumber}`);
      this.#kept.push({ number: this.#lastNumber, text });
      if (this.#kept.length > KEPT_EVENTS) this.#kept.shift();
      this.#write(text);
      return;
    }
    if (this.#open.size === 0) return;
    this.#write(messageOf(kind, data));
  }

  /** Number of an event of this run; 0 for one of another run: everything since is news. */
  #numberOf(id: string): number {
    const [run, number] = id.split('-', 2);
    return run === this.#run && number !== undefined && /^\d{1,15}$/.test(number)
      ? Number(number)
      : 0;
  }

  #newLabels(): string {
    const fresh = this.#source
      .labels()
      .filter(({ camera, sequence }) => this.#sent.get(camera) !== sequence);
    for (const { camera, sequence } of fresh) this.#sent.set(camera, sequence);
    return fresh.map(({ camera, labels }) => messageOf('labels', { camera, labels })).join('');
  }

  #write(text: string): void {
    if (text === '') return;
    for (const response of [...this.#open.keys()]) {
      // What a slow reader has not taken would grow here: he may come back and be up to date.
      if (response.writableLength > MAX_BEHIND) response.destroy();
      else response.write(text);
    }
  }

  #drop(response: ServerResponse): void {
    this.#open.delete(response);
    if (this.#open.size === 0) {
      this.#stopTicks();
      this.#sent.clear();
    }
  }
}

function messageOf(kind: string, data: object, id?: string): string {
  const head = id === undefined ? '' : `id: ${id}\n`;
  return `${head}event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
}
