import { messageOf } from '../../errors.js';
import { type Log, SILENT } from '../../log.js';
import { backgroundClock, type Clock } from '../../time.js';
import type { Connection, IncomingMessage, Subscription } from '../connection/connection.js';
import type { Publisher } from '../publish/publisher.js';
import type { DeviceIds } from './device-id.js';
import {
  type Component,
  type DiscoveryOptions,
  discoveryPayload,
  discoveryTopic,
} from './discovery.js';
import { claimTopic, describeRival, RIVAL_NEXT, readDiscovery, rootIn } from './read-back.js';

export interface AnnouncerOptions {
  readonly connection: Connection;
  readonly publisher: Pick<Publisher, 'republish' | 'retained'>;
  readonly prefix: string;
  readonly device: DeviceIds;
  /** `<base>/<node>`, and what it was before; null when nobody knows. */
  readonly root: string;
  readonly formerRoot?: string | null;
  /** The id that is used from now on. */
  readonly onDevice?: (id: string) => void;
  /** Another board (`<base>/<node>`) has the same id. */
  readonly onRival?: (root: string) => void;
  readonly random?: () => number;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** Keeps Home Assistant's picture of this board's entities true. */
export interface Announcer {
  /** What there is to show now; null takes the device away. */
  announce(entities: DiscoveryOptions | null): void;
  /** Takes the device away at once, whatever was looked at so far: this announcer is about to close. */
  withdraw(): void;
  /** The id in use, and the board (`<base>/<node>`) that has the same one; null: none does. */
  device(): { readonly id: string; readonly rival: string | null };
  close(): void;
}

/** Home Assistant asks that devices do not all answer its birth at once. */
const BIRTH_FIRST_MS = 1000;
const BIRTH_SPREAD_MS = 4000;
/** Silence after which the broker is taken to have no earlier message. */
const QUIET_MS = 500;
const MAX_ROOT_BYTES = 512;

/**
 * Publishes the discovery message, again at every birth of Home Assistant (`<prefix>/status`).
 *
 * Entities that are gone are sent as `{"platform": …}` alone, which is how Home Assistant is told to
 * forget them; what earlier runs announced is read back from the broker. They stay in the message
 * until Home Assistant was born once more, so that one that is away now learns of it too.
 *
 * Where the message that is read back is another board's (its availability is not ours), nothing is
 * taken away: this board takes a spare id, and both logs say so.
 */
export function createAnnouncer(options: AnnouncerOptions): Announcer {
  return new DeviceAnnouncer(options);
}

class DeviceAnnouncer implements Announcer {
  readonly #options: AnnouncerOptions;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: () => number;
  readonly #births: Subscription;
  /** Platform by key of everything Home Assistant may know of us. */
  readonly #known = new Map<string, string>();
  #id: string;
  #entities: DiscoveryOptions | null | undefined;
  /** The last message sent, to tell it from another board's. */
  #sent = '';
  #looked = false;
  #looking = false;
  #rival: string | null = null;
  readonly #watching: Promise<Subscription | null>[] = [];
  #reclaimed = false;
  #cancelBirth: (() => void) | null = null;
  #closed = false;

  constructor(options: AnnouncerOptions) {
    const { connection, prefix } = options;
    this.#options = options;
    this.#connection = connection;
    this.#clock = options.clock ?? backgroundClock;
    this.#log = options.log ?? SILENT;
    this.#random = options.random ?? Math.random;
    this.#id = options.device.id;
    connection.onConnect(() => void this.#look());
    if (connection.connected()) void this.#look();
    this.#births = connection.listen([`${prefix}/status`], ({ payload }) => {
      if (payload.toString() === 'online' && !this.#closed) this.#onBirth();
    });
  }

  announce(entities: DiscoveryOptions | null): void {
    this.#entities = entities;
    this.#say();
  }

  withdraw(): void {
    this.#entities = null;
    this.#known.clear();
    this.#sent = '';
    this.#options.publisher.retained.clear(this.#topic());
  }

  device(): { readonly id: string; readonly rival: string | null } {
    return { id: this.#id, rival: this.#rival };
  }

  close(): void {
    this.#closed = true;
    this.#cancelBirth?.();
    void this.#births.close();
    for (const subscription of this.#watching) void subscription.then((open) => open?.close());
  }

  #topic(): string {
    return discoveryTopic(this.#options.prefix, this.#id);
  }

  #say(): void {
    if (this.#closed || this.#entities === undefined || !this.#looked) return;
    const { retained } = this.#options.publisher;
    if (this.#entities === null) {
      if (this.#known.size > 0) retained.clear(this.#topic());
      this.#known.clear();
      this.#sent = '';
      return;
    }
    const payload = discoveryPayload(this.#entities, this.#id);
    const components: Record<string, Component> = { ...payload.components };
    for (const [key, platform] of this.#known) components[key] ??= { platform };
    for (const [key, { platform }] of Object.entries(components)) this.#known.set(key, platform);
    this.#sent = JSON.stringify({ ...payload, components });
    retained.set(this.#topic(), this.#sent, { qos: 1 });
  }

  /** Forgets entities that are gone: a Home Assistant that was just born has seen them removed. */
  #forgetGone(): void {
    const present = this.#entities ? discoveryPayload(this.#entities, this.#id).components : {};
    for (const key of [...this.#known.keys()]) {
      if (!Object.hasOwn(present, key)) this.#known.delete(key);
    }
  }

  #onBirth(): void {
    const wait = BIRTH_FIRST_MS + BIRTH_SPREAD_MS * this.#random();
    this.#cancelBirth ??= this.#clock.setTimer(() => {
      this.#cancelBirth = null;
      if (this.#closed) return;
      // First with what is gone, then without it.
      this.#options.publisher.republish();
      this.#forgetGone();
      this.#say();
    }, wait);
  }

  /** Reads what an earlier run, or another board, has announced; then announces. */
  async #look(): Promise<void> {
    if (this.#looked || this.#looking || this.#closed) return;
    this.#looking = true;
    try {
      await this.#choose();
      this.#looked = this.#connection.connected();
    } catch (error) {
      const topic = this.#topic();
      this.#log.info(
        { topic },
        `earlier discovery messages were not looked at: ${messageOf(error)}`,
      );
      this.#looked = this.#connection.connected();
    }
    this.#looking = false;
    if (this.#looked && !this.#closed) this.#watch();
    this.#say();
  }

  /** Settles under which id to announce, and what Home Assistant knows under it. */
  async #choose(): Promise<void> {
    const { legacy, id, spare } = this.#options.device;
    for (const candidate of legacy === null ? [id] : [legacy, id]) {
      const rival = await this.#tryId(candidate);
      if (rival === null && (candidate === id || this.#known.size > 0)) {
        if (this.#connection.connected()) this.#options.onDevice?.(this.#id);
        return;
      }
      if (rival !== null && candidate === id) this.#meet(rival);
    }
    await this.#tryId(spare);
  }

  /** Takes an id and what is known under it; or says which board has it (`<base>/<node>`). */
  async #tryId(id: string): Promise<string | null> {
    this.#known.clear();
    const found = await this.#readBack(discoveryTopic(this.#options.prefix, id));
    const owner = found === null ? null : rootIn(found);
    if (owner !== null && !this.#isOurs(owner)) return owner;
    this.#id = id;
    for (const [key, platform] of found === null ? [] : readDiscovery(found)) {
      this.#known.set(key, platform);
    }
    return null;
  }

  #isOurs(root: string): boolean {
    return root === this.#options.root || root === this.#options.formerRoot;
  }

  async #readBack(topic: string): Promise<Buffer | null> {
    let found: Buffer | null = null;
    let answered = (): void => {};
    const answer = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const subscription = await this.#connection.subscribe([topic], ({ payload, retain }) => {
      if (!retain) return;
      found = payload;
      answered();
    });
    const cancel = this.#clock.setTimer(answered, QUIET_MS);
    await answer;
    cancel();
    await subscription.close();
    return found;
  }

  /** Another board has our id: says so, here and to it. */
  #meet(rival: string): void {
    const { prefix, root, device } = this.#options;
    this.#name(rival);
    const claim = { qos: 1, retain: false } as const;
    // Whoever may not write there leaves the other board without a word about us.
    this.#connection.publish(claimTopic(prefix, device.id), root, claim).catch(() => {});
  }

  #name(rival: string): void {
    if (this.#rival === rival) return;
    this.#rival = rival;
    this.#options.onRival?.(rival);
    this.#log.warn(
      { device: this.#options.device.id, rival },
      `${describeRival(rival, this.#options.root)}; ${RIVAL_NEXT}`,
    );
  }

  /** Notices a board that comes later. */
  #watch(): void {
    const { prefix, root } = this.#options;
    const topic = this.#topic();
    this.#watching.push(
      this.#subscribe(topic, ({ payload, retain }) => {
        const other = !retain && payload.length > 0 && payload.toString() !== this.#sent;
        const owner = other && !this.#closed && this.#topic() === topic ? rootIn(payload) : null;
        if (owner !== null && !this.#isOurs(owner)) this.#giveWay(owner);
      }),
      this.#subscribe(claimTopic(prefix, this.#id), ({ payload }) => {
        const claimant = payload.subarray(0, MAX_ROOT_BYTES).toString();
        if (!this.#closed && claimant !== root) this.#name(claimant);
      }),
    );
  }

  /**
   * Another board's message has taken the place of ours. Of two that know of each other the first by
   * name stays; one that does not give way keeps the id, and ours goes elsewhere.
   */
  #giveWay(rival: string): void {
    this.#name(rival);
    if (this.#options.root < rival && !this.#reclaimed) {
      this.#reclaimed = true;
      const retained = { qos: 1, retain: true } as const;
      this.#connection.publish(this.#topic(), this.#sent, retained).catch(() => {});
      return;
    }
    this.#id = this.#options.device.spare;
    this.#say();
  }

  async #subscribe(
    topic: string,
    handler: (message: IncomingMessage) => void,
  ): Promise<Subscription | null> {
    try {
      return await this.#connection.subscribe([topic], handler);
    } catch (error) {
      // Access rules: what is not heard is not noticed.
      this.#log.debug({ topic }, messageOf(error));
      return null;
    }
  }
}
