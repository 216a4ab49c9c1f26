import type { Aedes, AedesPublishPacket } from 'aedes';
import type { Clock } from '../../time.js';

/** Bytes on their way to a client, and to all together; who exceeds it does not read what it hears. */
const EACH = 4 * 1024 * 1024;
const ALL = 24 * 1024 * 1024;
/** What a message on its way costs beside its payload. */
const COST = 1024;
/** How long a message waits for a client that is late, ms; then the others, and who sent it, go on. */
const PATIENCE_MS = 100;

type Deliver = (packet: AedesPublishPacket, done: () => void) => void;

interface Reader {
  /** Bytes that have been written to it and not left yet. */
  bytes: number;
  /** This reader had its time: nobody waits for it until it has read everything. */
  behind: boolean;
  /** Who waits for it. */
  readonly waiting: Set<() => void>;
  cancel: (() => void) | null;
}

/**
 * Delivers messages to their subscribers so that one which does not read holds up nobody. Aedes ends with
 * a message, and goes on with its sender, only when every subscriber has room for it again. Here that
 * waits a moment at most; what is on its way meanwhile is bounded in bytes, and who is further behind
 * than that is disconnected.
 */
export class Deliveries<Owner extends object> {
  readonly #clock: Clock;
  readonly #onDeaf: (owner: Owner) => void;
  readonly #readers = new Map<Owner, Reader>();
  #total = 0;

  /** @param onDeaf disconnects a client that does not read */
  constructor(clock: Clock, onDeaf: (owner: Owner) => void) {
    this.#clock = clock;
    this.#onDeaf = onDeaf;
  }

  /** Has every subscription served so; `owner` is whose SUBSCRIBE is being looked at. */
  serve(broker: Aedes, owner: () => Owner | null): void {
    const { subscribe, unsubscribe } = broker;
    const served = new Map<Deliver, Deliver>();
    broker.subscribe = (topic, deliver: Deliver, done) => {
      const whose = owner();
      const paced: Deliver =
        whose === null ? deliver : (packet, go) => this.#deliver(whose, deliver, packet, go);
      served.set(deliver, paced);
      subscribe.call(broker, topic, paced, done);
    };
    broker.unsubscribe = (topic, deliver: Deliver, done) => {
      const paced = served.get(deliver) ?? deliver;
      served.delete(deliver);
      unsubscribe.call(broker, topic, paced, done);
    };
  }

  /** The client is gone: nobody waits for it. */
  forget(owner: Owner): void {
    const reader = this.#readers.get(owner);
    if (reader === undefined) return;
    this.#readers.delete(owner);
    this.#total -= reader.bytes;
    this.#goOn(reader);
  }

  #deliver(owner: Owner, deliver: Deliver, packet: AedesPublishPacket, done: () => void): void {
    const bytes = packet.payload.length + COST;
    const reader = this.#reader(owner);
    reader.bytes += bytes;
    this.#total += bytes;
    let told = reader.behind;
    const go = () => {
      reader.waiting.delete(go);
      if (told) return;
      told = true;
      done();
    };
    if (told) done();
    else {
      reader.waiting.add(go);
      reader.cancel ??= this.#clock.setTimer(() => {
        reader.behind = true;
        this.#goOn(reader);
      }, PATIENCE_MS);
    }
    deliver(packet, () => {
      go();
      this.#left(owner, reader, bytes);
    });
    // A single message may be larger: that is no sign of a client that does not read.
    if (reader.bytes > Math.max(EACH, bytes)) this.#onDeaf(owner);
    else if (this.#total > ALL) this.#onDeaf(this.#furthest(owner));
  }

  #reader(owner: Owner): Reader {
    const known = this.#readers.get(owner);
    if (known !== undefined) return known;
    const reader = { bytes: 0, behind: false, waiting: new Set<() => void>(), cancel: null };
    this.#readers.set(owner, reader);
    return reader;
  }

  #left(owner: Owner, reader: Reader, bytes: number): void {
    if (this.#readers.get(owner) !== reader) return;
    reader.bytes -= bytes;
    this.#total -= bytes;
    if (reader.bytes > 0) return;
    this.#readers.delete(owner);
    this.#goOn(reader);
  }

  #goOn(reader: Reader): void {
    reader.cancel?.();
    reader.cancel = null;
    for (const go of [...reader.waiting]) go();
  }

  /** Who has most on its way. */
  #furthest(otherwise: Owner): Owner {
    let [found, most] = [otherwise, 0];
    for (const [owner, { bytes }] of this.#readers) {
      if (bytes > most) [found, most] = [owner, bytes];
    }
    return found;
  }
}
