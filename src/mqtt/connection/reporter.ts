import { codedError, messageOf } from '../../errors.js';
import type { Log } from '../log.js';

/** MQTT 5 reason code of a client whose id another client has connected with. */
export const TAKEN_OVER = 142;

/** Not more than one loss a minute is reported, and one of the same kind an hour. */
const ANY_MS = 60_000;
const SAME_MS = 3_600_000;
/** Connections that broke this soon, this often in a row, look like a second client with our id. */
const SHORT_MS = 5000;
const SHORT_COUNT = 3;

/** CONNACK codes of MQTT 3.1.1 and reason codes of MQTT 5 about who we are. */
const CREDENTIAL_CODES = new Set([4, 5, 134, 135, 140]);
const CODES: Readonly<Record<number, string>> = {
  1: 'the broker does not speak this version of MQTT',
  2: 'the broker refuses the client id',
  3: 'the broker says it is unavailable',
  132: 'the broker does not speak this version of MQTT',
  133: 'the broker refuses the client id',
  136: 'the broker says it is unavailable',
  137: 'the broker is busy',
  138: 'the broker has banned this client',
  139: 'the broker is shutting down',
  141: 'the broker waited too long for a sign of life',
  [TAKEN_OVER]: 'another client has connected with the same client id',
  149: 'the broker found a message too large',
};

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

/** A sentence fragment about why a connection failed or ended. Holds no secrets. */
export function describeFailure(reason: unknown): string {
  const code = codeOf(reason);
  if (typeof code === 'number') {
    if (CREDENTIAL_CODES.has(code)) return 'the broker refuses the user name or password';
    return CODES[code] ?? `the broker's reason code ${code}`;
  }
  if (reason instanceof AggregateError && reason.message === '') {
    return describeFailure(reason.errors[0]);
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

function codeOf(reason: unknown): unknown {
  return typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : null;
}

export interface Loss {
  readonly reason: unknown;
  /** Whether there had been a connection, and for how many milliseconds. */
  readonly wasUp: boolean;
  readonly lasted: number;
}

/** Says in the log what a user wants to know about the connection, and rarely. */
export function createReporter(options: {
  readonly log: Log;
  readonly monotonic: () => number;
  readonly broker: string;
  /** Whether a user name goes along. */
  readonly named?: boolean;
}): { connected(): void; lost(loss: Loss): void } {
  const { log, monotonic, broker, named = true } = options;
  const said = new Map<string, number>();
  let lastLine = Number.NEGATIVE_INFINITY;
  let short = 0;
  /** True while the log already says that we are connected. */
  let quiet = false;

  function mayReport(kind: string, urgent: boolean): boolean {
    const time = monotonic();
    const same = said.get(kind) ?? Number.NEGATIVE_INFINITY;
    if ((time - lastLine < ANY_MS && !urgent) || time - same < SAME_MS) return false;
    if (said.size > 32) said.clear();
    said.set(kind, time);
    lastLine = time;
    return true;
  }

  function nextStep(reason: unknown, wasUp: boolean): string {
    const code = codeOf(reason);
    const retried = 'it is tried again up to once a minute';
    if (code === TAKEN_OVER) return 'give each board a node name of its own';
    if (typeof code === 'number' && CREDENTIAL_CODES.has(code)) {
      const what = named
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

  return {
    connected() {
      if (!quiet) log.info({ broker }, 'connected to the MQTT broker');
      // The same reason is worth a line again once a connection has been good.
      if (short === 0) said.clear();
      quiet = true;
    },
    lost({ reason, wasUp, lasted }) {
      short = wasUp && lasted < SHORT_MS ? short + 1 : 0;
      const unexplained = reason === null || codeOf(reason) === 'ECONNRESET';
      const suspicious = short >= SHORT_COUNT && unexplained;
      const suspected = suspicious ? { code: TAKEN_OVER } : reason;
      const found = suspicious
        ? `${short} connections in a row were closed at once, as when another client uses the same client id`
        : describeFailure(suspected);
      // That the fault is a second client is worth a line right after one about a lost connection.
      if (!mayReport(found.replace(/\d+/g, ''), codeOf(suspected) === TAKEN_OVER)) return;
      quiet = false;
      const error = codedError('MND_MQTT_UNAVAILABLE', {
        subject: broker,
        found,
        next: nextStep(suspected, wasUp),
      });
      log.warn({ code: error.code, broker }, error.message);
    },
  };
}
