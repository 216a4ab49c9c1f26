import { codedError, isCodedError, messageOf } from '../../errors.js';
import { createRepeatingLog, type Log, type RepeatingLog, SILENT } from '../../log.js';
import { backgroundClock, type Clock } from '../../time.js';
import type { Connection, IncomingMessage, Subscription } from '../connection/connection.js';
import type { RetainedState } from '../publish/retained.js';
import type { Topics } from '../topics.js';
import { type CommandScope, MAX_COMMAND, orderOf, type Target, targetOf } from './orders.js';
import { createRateLimit } from './rate-limit.js';
import { isVerb, transactionIn, VERBS, type Verb } from './requests.js';

export type { CommandActions } from './orders.js';

/** Commands that are carried out, and answers that are on their way, at a time. */
const MAX_UNDERWAY = 32;
const MAX_ANSWERS = 256;
/** Bytes of correlation data that are sent back. */
const MAX_CORRELATION = 256;
const RATE = { perSecond: 5, burst: 20 };

export interface CommandsOptions extends CommandScope {
  readonly connection: Connection;
  readonly topics: Topics;
  readonly retained: RetainedState;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** What the `state` topics say; what is left out is not said anew. */
export interface ControlState {
  readonly detect?: Readonly<Record<string, boolean>>;
  readonly threshold?: Readonly<Record<string, number>>;
  readonly pin?: string;
  /** °C in force, be it set or chosen. */
  readonly limit?: number;
}

export interface Commands {
  show(state: ControlState): void;
  close(): Promise<void>;
}

/** Whom to answer. */
interface Reply {
  readonly verb: Verb;
  readonly transaction: string;
  /** MQTT 5: goes back as it came. */
  readonly correlationData?: Buffer;
}

/** Listens for commands, carries out the valid ones and answers requests. */
export function listenForCommands(options: CommandsOptions): Commands {
  return new CommandListener(options);
}

class CommandListener implements Commands {
  readonly #connection: Connection;
  readonly #topics: Topics;
  readonly #retained: RetainedState;
  readonly #scope: CommandScope;
  readonly #log: RepeatingLog;
  readonly #rate: ReturnType<typeof createRateLimit>;
  readonly #listening: Subscription;
  #underway = 0;
  #answers = 0;
  #refused = 0;

  constructor(options: CommandsOptions) {
    const { connection, topics, retained, actions, cameras, variants, limit } = options;
    const { clock = backgroundClock, log = SILENT } = options;
    this.#connection = connection;
    this.#topics = topics;
    this.#retained = retained;
    this.#scope = { actions, cameras, variants, limit };
    this.#log = createRepeatingLog(log, { clock });
    this.#rate = createRateLimit({ ...RATE, clock });
    this.#listening = connection.listen(
      topics.commandFilters,
      (message) => void this.#handle(message),
      () => this.#everyTopic(),
    );
  }

  show({ detect = {}, threshold = {}, pin, limit }: ControlState): void {
    const set = (topic: string, text: string) => this.#retained.set(topic, text, { qos: 1 });
    for (const [camera, on] of Object.entries(detect)) {
      set(this.#topics.camera(camera).detectState, on ? 'ON' : 'OFF');
    }
    for (const [camera, value] of Object.entries(threshold)) {
      set(this.#topics.camera(camera).thresholdState, sixDecimals(value));
    }
    if (pin !== undefined) set(this.#topics.pinState, pin);
    if (limit !== undefined) set(this.#topics.limitState, sixDecimals(limit));
  }

  async close(): Promise<void> {
    await this.#listening.close();
  }

  /** The topics of all commands one by one, for a broker without wildcards. */
  #everyTopic(): string[] {
    const { camera, pinSet, limitSet, request } = this.#topics;
    const ofCameras = this.#scope.cameras().flatMap((name) => {
      const { detectSet, thresholdSet } = camera(name);
      return [detectSet, thresholdSet];
    });
    return [pinSet, limitSet, ...VERBS.map((verb) => request(verb)), ...ofCameras];
  }

  async #handle(message: IncomingMessage): Promise<void> {
    // A command that was retained is an old one: it would run again at every start.
    const target = message.retain ? null : targetOf(this.#topics, message.topic);
    if (target === null) return;
    const reply = replyTo(target, message);
    try {
      const result = await this.#carryOut(target, message.payload);
      await this.#answer(reply, { ok: true, ...result });
    } catch (error) {
      this.#refused += 1;
      const fields = { topic: message.topic, refused: this.#refused };
      this.#log.warn('refused', `a command was refused: ${messageOf(error)}`, fields);
      await this.#answer(reply, { ok: false, ...failureOf(error) });
    }
  }

  async #carryOut(target: Target, payload: Buffer): Promise<object | undefined> {
    if (this.#underway >= MAX_UNDERWAY || !this.#rate.take()) {
      throw codedError('MND_MQTT_RATE', { next: 'wait a second' });
    }
    this.#underway++;
    try {
      return await orderOf(this.#scope, target, payload)();
    } finally {
      this.#underway--;
    }
  }

  async #answer(to: Reply | null, body: object): Promise<void> {
    if (to === null || this.#answers >= MAX_ANSWERS) return;
    this.#answers++;
    const payload = JSON.stringify({ transaction: to.transaction, ...body });
    const properties = {
      contentType: 'application/json',
      messageExpiryInterval: 60,
      ...(to.correlationData && { correlationData: to.correlationData }),
    };
    await this.#connection
      .publish(this.#topics.response(to.verb), payload, { qos: 1, retain: false, properties })
      // Whoever asked is no longer connected to us either.
      .catch(() => {});
    this.#answers--;
  }
}

function sixDecimals(value: number): string {
  return String(Math.round(value * 1e6) / 1e6);
}

function replyTo(target: Target, message: IncomingMessage): Reply | null {
  if (target.kind !== 'request' || !isVerb(target.verb)) return null;
  const { payload, correlationData } = message;
  const transaction = transactionIn(payload.subarray(0, MAX_COMMAND).toString());
  if (transaction === null) return null;
  const short = correlationData !== undefined && correlationData.length <= MAX_CORRELATION;
  return { verb: target.verb, transaction, ...(short && { correlationData }) };
}

function failureOf(error: unknown): { code: string; message: string } {
  const code = isCodedError(error) ? error.code : 'MND_INTERNAL';
  return { code, message: isCodedError(error) ? messageOf(error) : 'see the log' };
}
