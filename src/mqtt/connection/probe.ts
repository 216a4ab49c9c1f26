import { connect, type MqttClient } from 'mqtt';
import { messageOf } from '../../errors.js';
import { addressOf, type ConnectionOptions, clientOptions } from './client-options.js';
import { describeFailure } from './reporter.js';

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
  | { readonly ok: true; readonly ms: number }
  | { readonly ok: false; readonly fault: ProbeFault; readonly found: string };

export interface ProbeOptions
  extends Pick<
    ConnectionOptions,
    'url' | 'username' | 'password' | 'clientId' | 'tls' | 'protocol'
  > {
  /** A filter that must be granted. */
  readonly subscribe: string;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly connect?: ConnectionOptions['connect'];
}

export type BrokerProbe = (options: ProbeOptions) => Promise<ProbeResult>;

const TIMEOUT_MS = 8000;
/** CONNACK codes of MQTT 3.1.1, reason codes of MQTT 5. */
const CREDENTIAL_CODES: readonly unknown[] = [4, 5, 134, 135];
const REFUSED_GRANT = 128;

/**
 * Connects to a broker once, with the credentials of the configuration, subscribes and leaves again.
 * Never rejects. The client id must not be the daemon's own: the broker would throw that one out.
 */
export const probeBroker: BrokerProbe = async (options) => {
  const started = performance.now();
  let client: MqttClient | null = null;
  let reason: unknown = null;
  const timeout = options.timeout ?? TIMEOUT_MS;
  // Every broker speaks MQTT 3.1.1.
  const protocol = options.protocol === 5 ? 5 : 4;
  const outcome = await new Promise<'granted' | 'refused' | 'failed' | 'late'>((resolve) => {
    setTimeout(() => resolve('late'), timeout).unref();
    try {
      const address = addressOf(options);
      client = (options.connect ?? connect)(address.url, clientOptions(options, address, protocol));
    } catch (error) {
      reason = error;
      resolve('failed');
      return;
    }
    const probing = client;
    probing.on('error', (error) => {
      reason ??= error;
      resolve('failed');
    });
    probing.on('close', () => resolve('failed'));
    probing.on('connect', () => {
      probing.subscribe(options.subscribe, { qos: 1 }, (error, granted) => {
        const denied = granted?.some(({ qos }) => Number(qos) >= REFUSED_GRANT) ?? false;
        resolve(error === null && !denied ? 'granted' : 'refused');
      });
    });
  });
  const ms = Math.round(performance.now() - started);
  end(client);
  if (outcome === 'granted') return { ok: true, ms };
  if (outcome === 'refused') {
    return { ok: false, fault: 'subscription', found: `it refuses ${options.subscribe}` };
  }
  if (outcome === 'late') {
    return { ok: false, fault: 'silent', found: `no answer within ${timeout / 1000} s` };
  }
  return { ok: false, fault: faultOf(reason), found: describeFailure(reason) };
};

function end(client: MqttClient | null): void {
  client?.end(true);
  client?.stream.destroy();
}

function faultOf(reason: unknown): ProbeFault {
  const inner = reason instanceof AggregateError ? reason.errors[0] : reason;
  const code = typeof inner === 'object' && inner !== null && 'code' in inner ? inner.code : null;
  if (CREDENTIAL_CODES.includes(code)) return 'credentials';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'name';
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
