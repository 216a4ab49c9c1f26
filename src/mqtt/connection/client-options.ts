import type { IClientOptions, MqttClient } from 'mqtt';
import { parseAddress } from '../../address.js';
import { codedError } from '../../errors.js';
import type { Log } from '../../log.js';
import type { Clock } from '../../time.js';
import type { ProtocolVersion } from './protocol-choice.js';
import type { WillForm } from './will-choice.js';

/** Bytes of the largest packet that is read; commands are far smaller. */
export const MAX_INCOMING = 1024 * 1024;
/** Messages a broker may send us before we have acknowledged one (MQTT 5). */
const RECEIVE_MAXIMUM = 64;
const KEEPALIVE_S = 30;

export interface TlsOptions {
  /** PEM texts. */
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** False accepts any certificate. */
  readonly verify?: boolean;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly alpn?: readonly string[];
  /** Name in the broker's certificate, if it is not the host of the address. */
  readonly serverName?: string;
}

export interface ConnectionOptions {
  /**
   * mqtt, mqtts, ws or wss; mqtt+srv or mqtts+srv for a domain whose SRV records name the brokers. A user
   * name and password in it are used and never shown. Of several, the first that works is used.
   */
  readonly url: string | readonly string[];
  readonly username?: string | null;
  readonly password?: string | null;
  /** Stays over restarts, and no other client has it: a second one would throw this one out. */
  readonly clientId: string;
  /** Default `auto`: 5, and 3.1.1 (which is 4) to a broker that does not know it. */
  readonly protocol?: 'auto' | ProtocolVersion;
  readonly tls?: TlsOptions;
  /** Published by the broker when this client is gone without a word; retained, QoS 1. */
  readonly will?: { readonly topic: string; readonly payload: string };
  /** Seconds, default 30: a link that is dead without being closed is noticed after 1.5 times this. */
  readonly keepalive?: number;
  /** Largest payload that is sent, bytes, default 1 MiB. */
  readonly maxPayload?: number;
  readonly random?: () => number;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Looks up SRV records; default: the machine's resolver. */
  readonly resolveSrv?: ResolveSrv;
  readonly connect?: (url: string, options: IClientOptions) => MqttClient;
}

/** A service record (RFC 2782). */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

/** Where the broker is, and who we are to it. */
export interface Address {
  /** Without user name and password, and without the interface of a link-local address. */
  readonly url: string;
  /** Host with its interface (`fe80::1%eth0`), which no URL can hold; absent for others. */
  readonly host?: string;
  /** Name that must be in the certificate, where it is not the host's. */
  readonly serverName?: string;
  /** The address without a login, for people. */
  readonly redacted: string;
  readonly username: string | null;
  readonly password: string | null;
}

/** Who we are, where the address does not say it. */
type Login = Pick<ConnectionOptions, 'username' | 'password'>;

/** Takes an address apart. Throws MND_CONFIG_INVALID when it is none. */
export function addressOf(text: string, login: Login): Address {
  const parsed = parseAddress(text);
  if (parsed === null) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: 'mqtt.url',
      expected: 'an address such as mqtt://broker.local:1883',
      next: 'correct it',
    });
  }
  const { url, hostname } = parsed;
  const username = login.username ?? decoded(url.username);
  const password = login.password ?? decoded(url.password);
  url.username = '';
  url.password = '';
  const host = hostname.includes('%') ? { host: hostname } : {};
  return { url: url.href, ...host, redacted: shownAddress(text), username, password };
}

/** An address for people: no user, password or query, nor the path of a WebSocket, which may be a token. */
export function shownAddress(address: string): string {
  const { url, hostname } = parseAddress(address) ?? { url: new URL(address), hostname: '' };
  const host = hostname.includes('%') ? url.host.replace(/^\[.*\]/, `[${hostname}]`) : url.host;
  return `${url.protocol}//${host}`;
}

function decoded(part: string): string | null {
  if (part === '') return null;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** What one attempt to connect is made with. */
export interface Attempt {
  readonly address: Address;
  readonly protocol: ProtocolVersion;
  readonly will: WillForm;
  /** Milliseconds until the broker must have accepted us. */
  readonly timeoutMs: number;
}

/** Options of MQTT.js for one attempt to connect. */
export function clientOptions(
  options: Omit<ConnectionOptions, 'url'>,
  { address, protocol, will: form, timeoutMs }: Attempt,
): IClientOptions {
  const { will, tls } = options;
  return {
    clientId: options.clientId,
    protocolVersion: protocol,
    clean: true,
    keepalive: options.keepalive ?? KEEPALIVE_S,
    connectTimeout: timeoutMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(address.host !== undefined && { host: address.host, hostname: address.host }),
    ...(address.username !== null && { username: address.username }),
    ...(address.password !== null && { password: address.password }),
    ...(will && {
      will: { topic: will.topic, payload: Buffer.from(will.payload), ...form },
    }),
    ...(protocol === 5 && {
      properties: {
        sessionExpiryInterval: 0,
        receiveMaximum: RECEIVE_MAXIMUM,
        maximumPacketSize: MAX_INCOMING,
      },
    }),
    ...(/^(mqtts|wss):/.test(address.url) && secureOptions(tls ?? {}, address)),
  };
}

function secureOptions(tls: TlsOptions, address: Address): IClientOptions {
  const serverName = tls.serverName ?? address.serverName;
  const secure = {
    ...(tls.ca !== undefined && { ca: Buffer.from(tls.ca) }),
    ...(tls.cert !== undefined && { cert: Buffer.from(tls.cert) }),
    ...(tls.key !== undefined && { key: Buffer.from(tls.key) }),
    ...(serverName !== undefined && { servername: serverName }),
    minVersion: tls.minVersion ?? 'TLSv1.2',
    rejectUnauthorized: tls.verify ?? true,
  };
  // Over WebSockets, application protocols are the business of HTTP.
  const protocols = tls.alpn === undefined ? {} : { ALPNProtocols: [...tls.alpn] };
  return { ...secure, ...protocols, wsOptions: secure };
}
