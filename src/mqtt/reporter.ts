import { codedError, messageOf } from '../errors.js';
import type { Log } from './log.js';

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

/** A sentence fragment about why a connection failed or ended. Holds no secrets. */
export function describeFailure(reason: unknown): string {
  const code = codeOf(reason);
  if (typeof code === 'number') {
    if (CREDENTIAL_CODES.has(code)) return 'the broker refuses the user name or password';
    return CODES[code] ?? `the broker's reason code ${code}`;
  }
  if (code === 'ECONNREFUSED') return 'nothing listens at this address';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is not known';
  if (reason instanceof AggregateError && reason.message === '') {
    return describeFailure(reason.errors[0]);
  }
  return reason === null ? 'the connection was closed' : messageOf(reason);
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
}): { connected(): void; lost(loss: Loss): void } {
  const { log, monotonic, broker } = options;
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

  function nextStep(reason: unknown): string {
    const code = codeOf(reason);
    if (code === TAKEN_OVER) return 'give each board a node name of its own';
    if (typeof code === 'number' && CREDENTIAL_CODES.has(code)) {
      return 'check mqtt.username and mqtt.password; it is tried again up to once a minute';
    }
    return 'it is tried again up to once a minute; events wait in the database';
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
        next: nextStep(suspected),
      });
      log.warn({ code: error.code, broker }, error.message);
    },
  };
}
