import { messageOf } from '../../errors.js';
import type { Connection } from '../connection/connection.js';
import { type Log, REAL_TIMERS, SILENT, type Timers } from '../log.js';
import type { Publisher } from '../publish/publisher.js';
import {
  type Component,
  type DiscoveryOptions,
  discoveryPayload,
  discoveryTopic,
} from './home-assistant.js';

export interface AnnouncerOptions {
  readonly connection: Connection;
  readonly publisher: Pick<Publisher, 'republish' | 'retained'>;
  readonly prefix: string;
  readonly node: string;
  readonly random?: () => number;
  readonly timers?: Timers;
  readonly log?: Log;
}

/** Keeps Home Assistant's picture of this board's entities true. */
export interface Announcer {
  /** What there is to show now; null takes the device away. */
  announce(entities: DiscoveryOptions | null): void;
  /** Takes the device away at once, whatever was looked at so far: this announcer is about to close. */
  withdraw(): void;
  close(): void;
}

/** Home Assistant asks that devices do not all answer its birth at once. */
const BIRTH_FIRST_MS = 1000;
const BIRTH_SPREAD_MS = 4000;
/** Silence after which the broker is taken to have no earlier message. */
const QUIET_MS = 500;
const MAX_DISCOVERY_BYTES = 1024 * 1024;

/**
 * Publishes the discovery message, again at every birth of Home Assistant (`<prefix>/status`).
 *
 * Entities that are gone are sent as `{"platform": …}` alone, which is how Home Assistant is told to
 * forget them; what earlier runs announced is read back from the broker. They stay in the message
 * until Home Assistant was born once more, so that one that is away now learns of it too.
 */
export function createAnnouncer(options: AnnouncerOptions): Announcer {
  const { connection, publisher, prefix, node } = options;
  const timers = options.timers ?? REAL_TIMERS;
  const random = options.random ?? Math.random;
  const log = options.log ?? SILENT;
  const topic = discoveryTopic(prefix, node);
  /** Platform by key of everything Home Assistant may know of us. */
  const told = new Map<string, string>();
  let entities: DiscoveryOptions | null | undefined;
  let looked = false;
  let looking = false;
  let birth: unknown = null;
  let closed = false;

  function say(): void {
    if (closed || entities === undefined || !looked) return;
    if (entities === null) {
      if (told.size > 0) publisher.retained.clear(topic);
      told.clear();
      return;
    }
    const payload = discoveryPayload(entities);
    const components: Record<string, Component> = { ...payload.components };
    for (const [key, platform] of told) components[key] ??= { platform };
    for (const [key, { platform }] of Object.entries(components)) told.set(key, platform);
    publisher.retained.set(topic, JSON.stringify({ ...payload, components }), { qos: 1 });
  }

  /** Those that are gone have been seen by a Home Assistant that was just born. */
  function forgetGone(): void {
    const present = entities ? discoveryPayload(entities).components : {};
    for (const key of [...told.keys()]) if (!Object.hasOwn(present, key)) told.delete(key);
  }

  function onBirth(): void {
    birth ??= timers.setTimeout(
      () => {
        birth = null;
        if (closed) return;
        // First with what is gone, then without it.
        publisher.republish();
        forgetGone();
        say();
      },
      BIRTH_FIRST_MS + BIRTH_SPREAD_MS * random(),
    );
  }

  /** Reads what an earlier run has announced; then announces. */
  async function look(): Promise<void> {
    if (looked || looking || closed) return;
    looking = true;
    try {
      await readBack();
      looked = connection.connected();
    } catch (error) {
      log.info({ topic }, `earlier discovery messages were not looked at: ${messageOf(error)}`);
      looked = connection.connected();
    }
    looking = false;
    say();
  }

  async function readBack(): Promise<void> {
    let found = (): void => {};
    const answer = new Promise<void>((resolve) => {
      found = resolve;
    });
    const subscription = await connection.subscribe([topic], ({ payload, retain }) => {
      if (!retain) return;
      remember(payload);
      found();
    });
    const patience = timers.setTimeout(found, QUIET_MS);
    await answer;
    timers.clearTimeout(patience);
    await subscription.close();
  }

  function remember(payload: Buffer): void {
    for (const [key, platform] of componentsOf(payload)) {
      if (!told.has(key)) told.set(key, platform);
    }
  }

  connection.onConnect(() => void look());
  if (connection.connected()) void look();
  const births = connection.subscribe([`${prefix}/status`], ({ payload }) => {
    if (payload.toString() === 'online' && !closed) onBirth();
  });
  // One that the broker refuses is reported by the connection.
  births.catch(() => {});

  return {
    announce(next) {
      entities = next;
      say();
    },
    withdraw() {
      entities = null;
      told.clear();
      publisher.retained.clear(topic);
    },
    close() {
      closed = true;
      births.then(
        (subscription) => subscription.close(),
        () => {},
      );
      if (birth !== null) timers.clearTimeout(birth);
    },
  };
}

/** Keys and platforms of a discovery message; none of one that is damaged. */
function componentsOf(payload: Buffer): [string, string][] {
  if (payload.length > MAX_DISCOVERY_BYTES) return [];
  try {
    const components: unknown = JSON.parse(payload.toString())?.components;
    if (typeof components !== 'object' || components === null) return [];
    return Object.entries(components).flatMap(([key, component]): [string, string][] =>
      typeof component?.platform === 'string' ? [[key, component.platform]] : [],
    );
  } catch {
    return [];
  }
}
