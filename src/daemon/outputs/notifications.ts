import { eventPayload, isoTime } from '../../mqtt/publish/payloads.js';
import { BOARD_TOPICS } from '../../mqtt/topics.js';
import type { ChannelSurroundings } from '../../notify/channel.js';
import { Lane, type LaneReport } from '../../notify/lane.js';
import type { Message, Notice } from '../../notify/notice.js';
import { wantedChannels } from '../../notify/registry.js';
import { type Firing, RuleBook } from '../../notify/rules.js';
import { render } from '../../notify/template.js';
import type { PresenceEvent } from '../../presence/event.js';
import type { OutgoingNotice } from '../../store/notices.js';
import { backgroundClock, type Clock, sleep } from '../../time.js';
import type { Context } from '../context.js';
import type { StopOutput } from './output.js';

/** What waits for one channel of one rule at most; the oldest go first. */
const MAX_WAITING = 200;
/** How long the picture of an event may take; then it is told without one. */
const PICTURE_WAIT_MS = 3000;
const PICTURE_LOOK_MS = 100;
/** Dwell times and schedules are looked at this often, while something is there. */
const TICK_MS = 1000;
/** The longest cool-down there can be: older firings mean nothing. */
const LONGEST_COOLDOWN_MS = 86_400_000;

type Using = Pick<
  Context,
  'config' | 'store' | 'messaging' | 'log' | 'env' | 'eventPictures' | 'notifications'
>;

/** Tells people, by the rules of the configuration. */
export function startNotifications(context: Using): StopOutput {
  const service = new NotificationService(context, backgroundClock);
  const { notifications } = context;
  notifications.noticesOf = (events) => service.noticesOf(events);
  notifications.reports = () => service.reports();
  return async () => {
    notifications.noticesOf = () => [];
    notifications.reports = () => [];
    await service.stop();
  };
}

class NotificationService {
  readonly #context: Using;
  readonly #clock: Clock;
  readonly #book: RuleBook;
  /** By `<rule>/<channel>`. */
  readonly #lanes: ReadonlyMap<string, Lane>;
  /** Lanes that will have something to do with the next commit. */
  readonly #due = new Set<string>();
  readonly #stops: readonly (() => void)[];
  #cancelTick: (() => void) | null = null;
  #isStopped = false;

  constructor(context: Using, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
    const { config, store } = context;
    this.#book = new RuleBook(config.notify, config.location);
    this.#lanes = this.#buildLanes();
    this.#recall();
    this.#stops = [
      store.outbox.onAdded(() => {
        for (const name of this.#due) this.#lanes.get(name)?.wake();
        this.#due.clear();
      }),
      store.onClockSet((step) => store.notices.shift(step)),
    ];
    for (const lane of this.#lanes.values()) lane.wake();
  }

  /** What rules have to tell of events that are about to be recorded. */
  noticesOf(events: readonly PresenceEvent[]): readonly OutgoingNotice[] {
    if (this.#lanes.size === 0) return [];
    const firings = this.#book.judge(events, this.#moment());
    this.#tickLater();
    return firings.flatMap((firing) => this.#noticesOf(firing));
  }

  reports(): readonly LaneReport[] {
    return [...this.#lanes.values()].map((lane) => lane.report());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTick?.();
    for (const stop of this.#stops) stop();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
  }

  #moment(): { readonly now: number; readonly wall: number } {
    return { now: this.#clock.now(), wall: this.#clock.wall() };
  }

  #tickLater(): void {
    if (this.#cancelTick !== null || this.#isStopped || !this.#book.waits()) return;
    this.#cancelTick = this.#clock.setTimer(() => {
      this.#cancelTick = null;
      const notices = this.#book.tick(this.#moment()).flatMap((firing) => this.#noticesOf(firing));
      this.#context.store.recordEvents([], [], notices);
      this.#tickLater();
    }, TICK_MS);
  }

  /** What an earlier process, or an earlier configuration, has told of is not told again. */
  #recall(): void {
    const { store, config } = this.#context;
    for (const { rule, channel } of store.notices.counts()) {
      if (!this.#lanes.has(`${rule}/${channel}`)) store.notices.clear(rule, channel);
    }
    const moment = this.#moment();
    for (const { rule, cause, time } of store.notices.firings(moment.wall - LONGEST_COOLDOWN_MS)) {
      const age = moment.wall - time;
      if (Object.hasOwn(config.notify, rule) && age >= 0) {
        this.#book.recall(rule, cause, age, moment);
      }
    }
    this.#book.pass(store.openEvents());
  }

  #noticesOf({ rule, event, cause }: Firing): OutgoingNotice[] {
    const { config } = this.#context;
    const { to, cooldown } = config.notify[rule] ?? {};
    if (to === undefined) return [];
    const notice: Notice = {
      rule,
      time: this.#clock.wall(),
      node: config.node,
      board: config.name ?? config.node,
      cameraName: config.cameras[event.camera]?.name ?? event.camera,
      event: eventPayload(event),
      test: false,
    };
    const payload = JSON.stringify(notice);
    return wantedChannels(to).map(({ name: channel }) => {
      this.#due.add(`${rule}/${channel}`);
      return { rule, channel, event: event.id, cause: cooldown === 0 ? '' : cause, payload };
    });
  }

  #buildLanes(): ReadonlyMap<string, Lane> {
    const { config, log, store } = this.#context;
    const surroundings = this.#surroundings();
    const lanes = new Map<string, Lane>();
    for (const [rule, { enabled, to, max_age: maxAge }] of Object.entries(config.notify)) {
      if (!enabled) continue;
      for (const { name: channel, target, create } of wantedChannels(to)) {
        const lane = new Lane({
          ...{ rule, channel, target, clock: this.#clock, log: log.child({ part: 'notify' }) },
          send: create(surroundings),
          queue: {
            next: () => store.notices.next(rule, channel),
            remove: (id) => store.notices.remove(id) > 0,
            trim: () => {
              const oldest = this.#clock.wall() - maxAge * 1000;
              return store.notices.trim(rule, channel, MAX_WAITING, oldest);
            },
            waiting: () =>
              store.notices.counts().find((row) => row.rule === rule && row.channel === channel)
                ?.waiting ?? 0,
          },
          messageOf: (payload, created) => this.#messageOf(payload, created),
        });
        lanes.set(`${rule}/${channel}`, lane);
      }
    }
    return lanes;
  }

  #surroundings(): ChannelSurroundings {
    const { messaging, env } = this.#context;
    const { qos, retained: retain } = BOARD_TOPICS.notify;
    return {
      fetch: globalThis.fetch,
      env,
      folder: '/',
      async publish(payload) {
        if (!messaging.connected()) throw new Error('the broker is not connected');
        const { connection, topics } = messaging;
        await connection.publish(topics.notify, JSON.stringify(payload), { qos, retain });
      },
    };
  }

  async #messageOf(payload: string, created: number): Promise<Message | null> {
    const kept = noticeIn(payload);
    const rule = kept === null ? undefined : this.#context.config.notify[kept.rule];
    if (kept === null || rule === undefined) return null;
    const id = String(kept.event.id);
    const jpeg = rule.picture ? await this.#pictureOf(id, created) : null;
    const { shelf } = this.#context.eventPictures;
    const time = jpeg === null ? null : (shelf?.timeOf(id) ?? null);
    const event = { ...kept.event, picture: time === null ? null : isoTime(time) };
    const notice = { ...kept, event };
    return {
      notice,
      title: render(rule.title, notice),
      text: render(rule.message, notice),
      picture: jpeg,
      pictureFile: jpeg === null ? null : (shelf?.fileOf(id) ?? null),
    };
  }

  /** It is coded while its event is told already: it is waited for, but not for long. */
  async #pictureOf(id: string, created: number): Promise<Uint8Array | null> {
    const { eventPictures } = this.#context;
    const isLate = () => Math.abs(this.#clock.wall() - created) > PICTURE_WAIT_MS;
    while (eventPictures.shelf?.has(id) === false && !isLate() && !this.#isStopped) {
      await sleep(this.#clock, PICTURE_LOOK_MS);
    }
    return (await eventPictures.shelf?.read(id))?.jpeg ?? null;
  }
}

/** What was kept as JSON; null for what this version does not understand. */
function noticeIn(payload: string): Notice | null {
  try {
    const value: unknown = JSON.parse(payload);
    return isNotice(value) ? value : null;
  } catch {
    return null;
  }
}

function isNotice(value: unknown): value is Notice {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const texts = ['rule', 'node', 'board', 'cameraName'];
  const event = fields.get('event');
  return (
    texts.every((name) => typeof fields.get(name) === 'string') &&
    typeof fields.get('time') === 'number' &&
    typeof event === 'object' &&
    event !== null
  );
}
