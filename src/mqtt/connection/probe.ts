import { messageOf } from '../../errors.js';
import { backgroundClock, systemClock } from '../../time.js';
import { BrokerAddresses } from './addresses.js';
import { BrokerForm } from './broker-form.js';
import { BrokerLimits } from './broker-limits.js';
import type { Attempt, ConnectionOptions } from './client-options.js';
import { type Link, openLink } from './link.js';
import { describeFailure } from './loss-log.js';
import { isAboutCredentials } from './reason-codes.js';

/** Why a broker cannot be used, by what there is to do about it. */
export type ProbeFault =
  | 'name'
  | 'refused'
  | 'unreachable'
  | 'silent'
  | 'credentials'
  | 'tls'
  | 'subscription'
  | 'other';

export type ProbeResult =
  | {
      readonly ok: true;
      readonly ms: number;
      /** Promises that this broker cannot keep, as sentences. */
      readonly limits: readonly string[];
      /** What was retained on the topics of `read`. */
      readonly retained?: ReadonlyMap<string, Buffer>;
    }
  | { readonly ok: false; readonly fault: ProbeFault; readonly found: string };

export interface ProbeOptions
  extends Pick<
    ConnectionOptions,
    | 'username'
    | 'password'
    | 'clientId'
    | 'tls'
    | 'protocol'
    | 'will'
    | 'keepalive'
    | 'resolveSrv'
    | 'connect'
  > {
  readonly url: string;
  /** A filter that must be granted. */
  readonly subscribe: string;
  /** Topics whose retained messages are wanted too, where the broker lets them be read. */
  readonly read?: readonly string[];
  /** Milliseconds. */
  readonly timeout?: number;
}

export type BrokerProbe = (options: ProbeOptions) => Promise<ProbeResult>;

const TIMEOUT_MS = 8000;
const END_MS = 1000;
/** What is retained comes right after the answer to a subscription. */
const READ_MS = 500;
/** As many as the daemon would make to find out what the broker takes. */
const MAX_ATTEMPTS = 8;

/** How one attempt ended. */
type Outcome =
  | {
      readonly kind: 'granted';
      readonly limits: readonly string[];
      readonly retained: ReadonlyMap<string, Buffer>;
    }
  | { readonly kind: 'denied' }
  | { readonly kind: 'failed'; readonly reason: unknown };

/**
 * Connects to a broker as the daemon does (version of MQTT, will, TLS, credentials), subscribes and
 * leaves again. Never rejects. The client id must not be the daemon's own: the broker would throw that
 * one out.
 */
export const probeBroker: BrokerProbe = async (options) => {
  const started = systemClock.now();
  const timeout = options.timeout ?? TIMEOUT_MS;
  let end = () => {};
  const late = new Promise<ProbeResult>((resolve) => {
    end = backgroundClock.setTimer(() => {
      resolve({ ok: false, fault: 'silent', found: `no answer within ${timeout / 1000} s` });
    }, timeout);
  });
  const abandoned = new AbortController();
  const result = await Promise.race([late, probe(options, started, abandoned.signal)]);
  abandoned.abort();
  end();
  return result;
};

async function probe(
  options: ProbeOptions,
  started: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const hasWill = options.will !== undefined;
  const broker = new BrokerForm({ protocol: options.protocol ?? 'auto', hasWill });
  let reason: unknown = null;
  for (let attempt = 0; attempt < MAX_ATTEMPTS && !signal.aborted; attempt++) {
    const outcome = await tryOnce(options, broker.current(), signal);
    if (outcome.kind === 'granted') {
      const { limits, retained } = outcome;
      return { ok: true, ms: Math.round(systemClock.now() - started), limits, retained };
    }
    if (outcome.kind === 'denied') {
      return { ok: false, fault: 'subscription', found: `it refuses ${options.subscribe}` };
    }
    reason = outcome.reason;
    if (broker.failed(reason) === 'no') break;
  }
  return { ok: false, fault: faultOf(reason), found: describeFailure(reason) };
}

async function tryOnce(
  options: ProbeOptions,
  form: Pick<Attempt, 'protocol' | 'will'>,
  signal: AbortSignal,
): Promise<Outcome> {
  let link: Link | null = null;
  const retained = new Map<string, Buffer>();
  try {
    const addresses = new BrokerAddresses(options);
    const address = await addresses.current();
    return await new Promise<Outcome>((resolve) => {
      signal.addEventListener('abort', () => void link?.end(END_MS), { once: true });
      const opened: Link = openLink({
        options,
        attempt: { ...form, address, timeoutMs: addresses.timeoutMs },
        clock: backgroundClock,
        onUp(packet) {
          const limits = new BrokerLimits(Number.POSITIVE_INFINITY, () => 0);
          limits.connected(packet, form.protocol);
          if (options.will !== undefined) limits.assumeWill(form.will);
          const granted = () => resolve({ kind: 'granted', limits: limits.broken(), retained });
          opened.subscribe({ id: 1, qos: 1 }, [options.subscribe], (error) => {
            if (error !== null && limits.wildcards) resolve({ kind: 'denied' });
            else if (options.read === undefined) granted();
            else readRetained(opened, options.read, granted);
          });
        },
        onMessage: ({ topic, payload, retain }) => {
          if (retain) retained.set(topic, payload);
        },
        onDown: (reason) => resolve({ kind: 'failed', reason }),
      });
      link = opened;
    });
  } catch (reason) {
    return { kind: 'failed', reason };
  } finally {
    // Properly: the will is the daemon's own, and must not be published.
    await (link as Link | null)?.end(END_MS);
  }
}

/** Asks for what is retained on some topics; calls `done` when it has had the time to come. */
function readRetained(link: Link, topics: readonly string[], done: () => void): void {
  // Refused or not: what may not be read is not told.
  link.subscribe({ id: 2, qos: 0 }, topics, () => void backgroundClock.setTimer(done, READ_MS));
}

function faultOf(reason: unknown): ProbeFault {
  const inner = reason instanceof AggregateError ? reason.errors[0] : reason;
  const code = typeof inner === 'object' && inner !== null && 'code' in inner ? inner.code : null;
  if (isAboutCredentials(code)) return 'credentials';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA') return 'name';
  if (code === 'ECONNREFUSED') return 'refused';
  if (typeof code === 'string' && /^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENETDOWN)$/.test(code)) {
    return 'unreachable';
  }
  return isTls(code, messageOf(inner)) ? 'tls' : 'other';
}

/** Codes of Node's TLS (tls.md, "X509 certificate error codes") and of OpenSSL. */
function isTls(code: unknown, message: string): boolean {
  return (
    /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)|_CERT$|_SIGNATURE$/.test(
      String(code),
    ) || /certificate|ssl|tls/i.test(message)
  );
}
