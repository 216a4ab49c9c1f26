import { codedError, messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import { codeOf, describeCode, isAboutCredentials, TAKEN_OVER } from './reason-codes.js';

/** Not more than one loss a minute is reported, and one of the same kind an hour. */
const ANY_MS = 60_000;
const SAME_MS = 3_600_000;
/** Connections that broke this soon, this often in a row, look like a second client with our id. */
const SHORT_MS = 5000;
const SHORT_COUNT = 3;
const WRONG_CREDENTIALS = 'the broker refuses the user name or password';

interface Fault {
  readonly found: string;
  readonly next?: string;
}

/** What Node and OpenSSL say, in words, and what to do about it where that is known. */
const FAULTS: Readonly<Record<string, Fault>> = {
  ECONNREFUSED: { found: 'nothing listens at this address' },
  ENOTFOUND: { found: 'the host name is not known' },
  EAI_AGAIN: { found: 'the host name is not known' },
  ECONNRESET: { found: 'the connection was reset' },
  EHOSTUNREACH: { found: 'there is no way to this host' },
  ENETUNREACH: { found: 'there is no network' },
  ...Object.fromEntries(
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ].map((code) => [
      code,
      {
        found: "the broker's certificate is of an authority that is not trusted",
        next: "set mqtt.tls.ca_file to that authority's certificate",
      },
    ]),
  ),
  ...Object.fromEntries(
    ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'].map((code) => [
      code,
      {
        found: "the broker's certificate is not valid at this time",
        next: "see whether this board's clock is right, else renew the certificate",
      },
    ]),
  ),
};

/**
 * A sentence fragment about why a connection failed or ended. Holds no secrets. `letIn`: the broker had
 * accepted us, so "not authorized" is about something that was sent.
 */
export function describeFailure(reason: unknown, letIn = false): string {
  const code = codeOf(reason);
  if (typeof code === 'number') {
    return !letIn && isAboutCredentials(code) ? WRONG_CREDENTIALS : describeCode(code);
  }
  if (reason instanceof AggregateError && reason.message === '') {
    return describeFailure(reason.errors[0], letIn);
  }
  const known = faultOf(reason)?.found;
  return known ?? (reason === null ? 'the connection was closed' : messageOf(reason));
}

function faultOf(reason: unknown): Fault | undefined {
  const code = codeOf(reason);
  if (typeof code === 'string' && Object.hasOwn(FAULTS, code)) return FAULTS[code];
  // OpenSSL's own errors have no codes that can be told apart.
  const text = messageOf(reason);
  if (/wrong version number|packet length too long/.test(text)) {
    return { found: 'something that is not TLS answers at this port' };
  }
  return /protocol version|unsupported protocol/.test(text)
    ? {
        found: 'the broker and this client have no version of TLS in common',
        next: 'see mqtt.tls.min_version',
      }
    : undefined;
}

export interface Loss {
  readonly reason: unknown;
  /** Address of the broker, for people. */
  readonly broker: string;
  /** Whether there had been a connection, and for how many milliseconds. */
  readonly wasUp: boolean;
  readonly lasted: number;
  /** Something that we sent is under suspicion, so no second client is. */
  readonly suspected: boolean;
}

/** Says in the log what a user wants to know about the connection, and rarely. */
export class LossLog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #named: boolean;
  /** When a kind of loss was last reported. */
  readonly #reported = new Map<string, number>();
  #lastLine = Number.NEGATIVE_INFINITY;
  #short = 0;
  /** The broker that the log says we are connected to; null while it says that we are not. */
  #connectedTo: string | null = null;

  /** @param now monotonic, milliseconds; @param named whether a user name goes along */
  constructor(log: Log, now: () => number, named: boolean) {
    this.#log = log;
    this.#now = now;
    this.#named = named;
  }

  connected(broker: string): void {
    if (this.#connectedTo !== broker) this.#log.info({ broker }, 'connected to the MQTT broker');
    // A reason that was logged is worth a line again once a connection has been good.
    if (this.#short === 0) this.#reported.clear();
    this.#connectedTo = broker;
  }

  /** @returns why it failed or ended, as a fragment of a sentence */
  lost(loss: Loss): string {
    const { reason, wasUp, lasted, broker } = loss;
    this.#short = wasUp && lasted < SHORT_MS ? this.#short + 1 : 0;
    const unexplained = reason === null || codeOf(reason) === 'ECONNRESET';
    const rival = this.#short >= SHORT_COUNT && unexplained && !loss.suspected;
    const cause = rival ? { code: TAKEN_OVER } : reason;
    const found = rival
      ? `${this.#short} connections in a row were closed at once, as when another client uses the same client id`
      : describeFailure(cause, wasUp);
    // That the fault is a second client is worth a line right after one about a lost connection.
    const kind = `${broker} ${found.replace(/\d+/g, '')}`;
    if (!this.#mayReport(kind, codeOf(cause) === TAKEN_OVER)) return found;
    this.#connectedTo = null;
    const next = this.#nextStep(cause, wasUp, broker);
    const error = codedError('MND_MQTT_UNAVAILABLE', { subject: broker, found, next });
    this.#log.warn({ code: error.code, broker }, error.message);
    return found;
  }

  #mayReport(kind: string, urgent: boolean): boolean {
    const time = this.#now();
    const same = this.#reported.get(kind) ?? Number.NEGATIVE_INFINITY;
    if ((time - this.#lastLine < ANY_MS && !urgent) || time - same < SAME_MS) return false;
    if (this.#reported.size > 32) this.#reported.clear();
    this.#reported.set(kind, time);
    this.#lastLine = time;
    return true;
  }

  #nextStep(reason: unknown, wasUp: boolean, broker: string): string {
    const code = codeOf(reason);
    const retried = 'it is tried again up to once a minute';
    if (code === TAKEN_OVER) return 'give each board a node name of its own';
    // Once we were let in, "not authorized" is about something that was sent.
    if (isAboutCredentials(code) && !wasUp) {
      const what = this.#named
        ? 'check mqtt.username and mqtt.password'
        : 'set mqtt.username and a password (mqtt.password_file)';
      return `${what}; ${retried}`;
    }
    const known = faultOf(reason)?.next;
    if (known !== undefined) return `${known}; ${retried}`;
    // TLS spoken to a port without it, or the other way round, ends like this.
    const doubtful = !wasUp && (reason === null || code === 'ECONNRESET' || code === 'EPROTO');
    const hint = doubtful
      ? `see whether ${broker.split(':', 1)[0]} is what this port speaks; `
      : '';
    return `${hint}${retried}; events wait in the database`;
  }
}
