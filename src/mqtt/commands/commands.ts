import { type CodedError, codedError, isCodedError, messageOf } from '../../errors.js';
import type { Connection, IncomingMessage } from '../connection/connection.js';
import { type Log, SILENT } from '../log.js';
import type { RetainedState } from '../publish/retained.js';
import { createRefusals } from '../refusals.js';
import { type Topics, topicSafe } from '../topics.js';
import { createRateLimit } from './rate-limit.js';
import { isVerb, parseRequest, type Request, transactionIn, type Verb } from './requests.js';

/** Bytes of a command; what is longer is not looked at. */
const MAX_COMMAND = 8192;
/** Commands that are carried out, and answers that are on their way, at a time. */
const MAX_UNDERWAY = 32;
const MAX_ANSWERS = 256;
/** Bytes of correlation data that are sent back. */
const MAX_CORRELATION = 256;

/**
 * What commands do. Each rejects with a coded error when it cannot; the daemon keeps what is set and
 * shows it with {@link Commands.show}.
 */
export interface CommandActions {
  setDetect(camera: string, on: boolean): Promise<void>;
  /** Score that makes a label present, 0 to 1. */
  setThreshold(camera: string, threshold: number): Promise<void>;
  /** `auto` or the name of a variant. */
  setPin(variant: string): Promise<void>;
  /** Target temperature, °C. */
  setLimit(limit: 'auto' | number): Promise<void>;
  /** Publishes a picture of a camera, or of all. */
  snapshot(camera: string | null): Promise<void>;
  reload(): Promise<void>;
  restart(): Promise<void>;
  health(): Promise<object>;
}

export interface CommandsOptions {
  readonly connection: Connection;
  readonly topics: Topics;
  readonly retained: RetainedState;
  readonly actions: CommandActions;
  /** Names of the cameras and of the variants there are now. */
  readonly cameras: () => readonly string[];
  readonly variants: () => readonly string[];
  /** Range of the target temperature, °C. */
  readonly limit: { readonly min: number; readonly max: number };
  /** Monotonic, milliseconds. */
  readonly monotonic?: () => number;
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

/** What a valid payload asks for, yet to be done; resolves with what an answer has besides. */
type Order = () => Promise<object | undefined>;

/** Listens for commands, carries out the valid ones and answers requests. */
export function listenForCommands(options: CommandsOptions): Commands {
  const { connection, topics, retained } = options;
  const log = options.log ?? SILENT;
  const monotonic = options.monotonic ?? (() => performance.now());
  const rate = createRateLimit({ perSecond: 5, burst: 20, monotonic });
  let underway = 0;
  let answers = 0;
  const refusals = createRefusals(log, monotonic);

  function report(topic: string, error: unknown): void {
    refusals.note({ topic }, `a command was refused: ${messageOf(error)}`);
  }

  async function answer(to: Reply | null, body: object): Promise<void> {
    if (to === null || answers >= MAX_ANSWERS) return;
    answers++;
    const payload = JSON.stringify({ transaction: to.transaction, ...body });
    await connection
      .publish(topics.response(to.verb), payload, {
        qos: 1,
        retain: false,
        properties: {
          contentType: 'application/json',
          messageExpiryInterval: 60,
          ...(to.correlationData && { correlationData: to.correlationData }),
        },
      })
      // Whoever asked is no longer connected to us either.
      .catch(() => {});
    answers--;
  }

  async function carryOut(target: Target, payload: Buffer): Promise<object | undefined> {
    if (underway >= MAX_UNDERWAY || !rate.take()) {
      throw codedError('MND_MQTT_RATE', { next: 'wait a second' });
    }
    underway++;
    try {
      return await orderOf(options, target, payload)();
    } finally {
      underway--;
    }
  }

  async function handle(message: IncomingMessage): Promise<void> {
    // A command that was retained is an old one: it would run again at every start.
    const target = message.retain ? null : targetOf(topics, message.topic);
    if (target === null) return;
    const reply = replyTo(target, message);
    try {
      const result = await carryOut(target, message.payload);
      await answer(reply, { ok: true, ...result });
    } catch (error) {
      report(message.topic, error);
      await answer(reply, { ok: false, ...failureOf(error) });
    }
  }

  const listening = connection
    .subscribe(topics.commandFilters, (message) => void handle(message))
    .catch((error) => {
      log.warn({}, `commands cannot be received: ${messageOf(error)}`);
      return null;
    });

  return {
    show({ detect = {}, threshold = {}, pin, limit }) {
      const say = (topic: string, text: string) => retained.set(topic, text, { qos: 1 });
      for (const [camera, on] of Object.entries(detect)) {
        say(topics.camera(camera).detectState, on ? 'ON' : 'OFF');
      }
      for (const [camera, value] of Object.entries(threshold)) {
        say(topics.camera(camera).thresholdState, String(Math.round(value * 1e6) / 1e6));
      }
      if (pin !== undefined) say(topics.pinState, pin);
      if (limit !== undefined) say(topics.limitState, String(Math.round(limit * 1e6) / 1e6));
    },
    async close() {
      await (await listening)?.close();
    },
  };
}

type Target =
  | { readonly kind: 'request'; readonly verb: string }
  | { readonly kind: 'governor'; readonly control: string }
  | { readonly kind: 'camera'; readonly camera: string; readonly control: string };

function targetOf(topics: Topics, topic: string): Target | null {
  if (!topic.startsWith(`${topics.root}/`)) return null;
  const [first = '', second = '', third] = topic.slice(topics.root.length + 1).split('/');
  if (first === 'request') return { kind: 'request', verb: second };
  if (third !== 'set') return null;
  if (first === 'governor') return { kind: 'governor', control: second };
  return { kind: 'camera', camera: first, control: second };
}

function replyTo(target: Target, message: IncomingMessage): Reply | null {
  if (target.kind !== 'request' || !isVerb(target.verb)) return null;
  const { payload, correlationData } = message;
  const transaction = transactionIn(payload.subarray(0, MAX_COMMAND).toString());
  if (transaction === null) return null;
  const short = correlationData !== undefined && correlationData.length <= MAX_CORRELATION;
  return { verb: target.verb, transaction, ...(short && { correlationData }) };
}

/** The order a payload stands for. Throws MND_MQTT_PAYLOAD, and does nothing yet. */
function orderOf(options: CommandsOptions, target: Target, payload: Buffer): Order {
  const text = textOf(payload);
  if (target.kind === 'request') return requestOf(options, target.verb, text);
  const { actions } = options;
  if (target.kind === 'governor') {
    if (target.control === 'pin') {
      const pin = oneOf(['auto', ...options.variants()], text);
      return () => done(actions.setPin(pin));
    }
    if (target.control === 'limit') {
      const limit = text === 'auto' ? text : numberIn(options.limit.min, options.limit.max, text);
      return () => done(actions.setLimit(limit));
    }
    throw invalid('pin or limit', target.control);
  }
  const camera = cameraOf(options, target.camera);
  if (target.control === 'detect') {
    const on = oneOf(['ON', 'OFF'], text) === 'ON';
    return () => done(actions.setDetect(camera, on));
  }
  if (target.control === 'threshold') {
    const threshold = numberIn(0, 1, text);
    return () => done(actions.setThreshold(camera, threshold));
  }
  throw invalid('detect or threshold', target.control);
}

function requestOf(options: CommandsOptions, verb: string, text: string): Order {
  if (!isVerb(verb)) throw invalid('snapshot, reload, restart or health', verb);
  const request = parseRequest(verb, jsonOf(text));
  if ('fault' in request) {
    throw invalid(`a request as in docs/schema/request-${verb}.json`, request.fault);
  }
  return () => runRequest(options, verb, request);
}

async function runRequest(
  options: CommandsOptions,
  verb: Verb,
  request: Request,
): Promise<object | undefined> {
  const { actions } = options;
  if (verb === 'health') return { health: await actions.health() };
  if (verb === 'reload') return done(actions.reload());
  if (verb === 'restart') return done(actions.restart());
  const camera = request.camera === undefined ? null : cameraOf(options, topicSafe(request.camera));
  return done(actions.snapshot(camera));
}

async function done(work: Promise<void>): Promise<undefined> {
  await work;
  return undefined;
}

/** UTF-8 text of a payload that is not too long. */
function textOf(payload: Buffer): string {
  if (payload.length > MAX_COMMAND) {
    throw invalid(`at most ${MAX_COMMAND} bytes`, `${payload.length}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    throw invalid('UTF-8', 'other bytes');
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('JSON', 'something else');
  }
}

function oneOf(choices: readonly string[], text: string): string {
  if (choices.includes(text)) return text;
  const shown = choices.length > 12 ? `${choices.slice(0, 12).join(', ')} …` : choices.join(', ');
  throw invalid(`one of ${shown}`, text);
}

function numberIn(min: number, max: number, text: string): number {
  const value = /^\d{1,3}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw invalid(`a number from ${min} to ${max}`, text);
}

function cameraOf(options: CommandsOptions, level: string): string {
  const camera = options.cameras().find((name) => topicSafe(name) === level);
  if (camera === undefined) throw invalid('a camera of this board', level);
  return camera;
}

function invalid(expected: string, found: string): CodedError {
  // The payload is somebody else's text: short and quoted, so that it cannot forge a log line.
  return codedError('MND_MQTT_PAYLOAD', { expected, found: JSON.stringify(found.slice(0, 60)) });
}

function failureOf(error: unknown): { code: string; message: string } {
  const code = isCodedError(error) ? error.code : 'MND_INTERNAL';
  return { code, message: isCodedError(error) ? messageOf(error) : 'see the log' };
}
