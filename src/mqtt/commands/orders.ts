import { type CodedError, codedError } from '../../errors.js';
import { type Topics, topicSafe } from '../topics.js';
import {
  isVerb,
  parseRequest,
  type Request,
  type TeachAsked,
  VERBS,
  type Verb,
} from './requests.js';

/** Bytes of a command; what is longer is not looked at. */
export const MAX_COMMAND = 8192;

/**
 * What commands do. Each rejects with a coded error when it cannot; the daemon keeps what is set and
 * shows it with `Commands.show`.
 */
export interface CommandActions {
  /** `auto`: as the configuration says. */
  setDetect(camera: string, on: boolean | 'auto'): Promise<void>;
  /** Score that makes a label present, 0 to 1. */
  setThreshold(camera: string, threshold: number | 'auto'): Promise<void>;
  /** `auto` or the name of a variant. */
  setPin(variant: string): Promise<void>;
  /** Target temperature, °C. */
  setLimit(limit: 'auto' | number): Promise<void>;
  /** Publishes a picture of a camera, or of all. */
  snapshot(camera: string | null): Promise<void>;
  reload(): Promise<void>;
  restart(): Promise<void>;
  health(): Promise<object>;
  /** Keeps a false alarm back, or (`undo`) tells it again; resolves with the spots it is about. */
  wrong(asked: { readonly event: string | null; readonly undo: string | null }): Promise<object>;
  /** Teaches labels; resolves with what came of it. */
  teach(asked: TeachAsked): Promise<object>;
}

/** What a command is checked against. */
export interface CommandScope {
  readonly actions: CommandActions;
  /** Names of the cameras and of the variants there are now. */
  readonly cameras: () => readonly string[];
  readonly variants: () => readonly string[];
  /** Range of the target temperature, °C. */
  readonly limit: { readonly min: number; readonly max: number };
}

/** What a valid payload asks for, yet to be done; resolves with what an answer has besides. */
export type Order = () => Promise<object | undefined>;

/** What a command is about, by its topic. */
export type Target =
  | { readonly kind: 'request'; readonly verb: string }
  | { readonly kind: 'governor'; readonly control: string }
  | { readonly kind: 'camera'; readonly camera: string; readonly control: string };

/** What a topic commands; null when it is no command of ours. */
export function targetOf(topics: Topics, topic: string): Target | null {
  if (!topic.startsWith(`${topics.root}/`)) return null;
  const [first = '', second = '', third] = topic.slice(topics.root.length + 1).split('/');
  if (first === 'request') return { kind: 'request', verb: second };
  if (third !== 'set') return null;
  if (first === 'governor') return { kind: 'governor', control: second };
  return { kind: 'camera', camera: first, control: second };
}

/** The order a payload stands for. Throws MND_MQTT_PAYLOAD, and does nothing yet. */
export function orderOf(scope: CommandScope, target: Target, payload: Buffer): Order {
  const text = textOf(payload);
  if (target.kind === 'request') return requestOf(scope, target.verb, text);
  const { actions } = scope;
  if (target.kind === 'governor') {
    if (target.control === 'pin') {
      const pin = oneOf(['auto', ...scope.variants()], text);
      return () => done(actions.setPin(pin));
    }
    if (target.control === 'limit') {
      const limit = text === 'auto' ? text : numberIn(scope.limit.min, scope.limit.max, text);
      return () => done(actions.setLimit(limit));
    }
    throw invalid('pin or limit', target.control);
  }
  const camera = cameraOf(scope, target.camera);
  if (target.control === 'detect') {
    const wanted = oneOf(['ON', 'OFF', 'auto'], text);
    const on = wanted === 'auto' ? wanted : wanted === 'ON';
    return () => done(actions.setDetect(camera, on));
  }
  if (target.control === 'threshold') {
    const threshold = text === 'auto' ? text : numberIn(0, 1, text);
    return () => done(actions.setThreshold(camera, threshold));
  }
  throw invalid('detect or threshold', target.control);
}

function requestOf(scope: CommandScope, verb: string, text: string): Order {
  if (!isVerb(verb)) throw invalid(VERBS.join(', '), verb);
  const request = parseRequest(verb, jsonOf(text));
  if ('fault' in request) {
    throw invalid(`a request as in docs/schema/request-${verb}.json`, request.fault);
  }
  return () => runRequest(scope, verb, request);
}

async function runRequest(
  scope: CommandScope,
  verb: Verb,
  request: Request,
): Promise<object | undefined> {
  const { actions } = scope;
  if (verb === 'health') return { health: await actions.health() };
  if (verb === 'wrong') {
    const { event = null, undo = null } = request;
    return { spots: await actions.wrong({ event, undo }) };
  }
  if (verb === 'teach') {
    const { transaction: _transaction, event: _event, undo: _undo, ...asked } = request;
    return { teach: await actions.teach({ ...asked, do: asked.do ?? 'list' }) };
  }
  if (verb === 'reload') return done(actions.reload());
  if (verb === 'restart') return done(actions.restart());
  const camera = request.camera === undefined ? null : cameraOf(scope, topicSafe(request.camera));
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
  const list = choices.length > 12 ? `${choices.slice(0, 12).join(', ')} …` : choices.join(', ');
  throw invalid(`one of ${list}`, text);
}

function numberIn(min: number, max: number, text: string): number {
  const value = /^\d{1,3}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw invalid(`a number from ${min} to ${max}`, text);
}

function cameraOf(scope: CommandScope, level: string): string {
  const camera = scope.cameras().find((name) => topicSafe(name) === level);
  if (camera === undefined) throw invalid('a camera of this board', level);
  return camera;
}

function invalid(expected: string, found: string): CodedError {
  // The payload is somebody else's text: short and quoted, so that it cannot forge a log line.
  return codedError('MND_MQTT_PAYLOAD', { expected, found: JSON.stringify(found.slice(0, 60)) });
}
