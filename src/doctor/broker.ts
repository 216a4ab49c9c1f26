import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.js';
import { parseListen } from '../config/schema/formats.js';
import { askDaemon } from '../control/client.js';
import { controlSockets } from '../control/socket.js';
import { tlsOf } from '../daemon/options/broker.js';
import { deviceOf, formerNames } from '../daemon/outputs/device.js';
import { messageOf } from '../errors.js';
import { shownAddress } from '../mqtt/connection/client-options.js';
import type { ProbeFault } from '../mqtt/connection/probe.js';
import { discoveryTopic } from '../mqtt/home-assistant/discovery.js';
import { describeRival, RIVAL_NEXT, rootIn } from '../mqtt/home-assistant/read-back.js';
import { databaseFile } from '../store/path.js';
import { rememberedSettings } from '../store/reading.js';
import { type Finding, findings } from './finding.js';
import type { CheckInput } from './surroundings.js';

const { ok, info, warn, fail } = findings('broker');

const MEANS = 'events wait in the database until the broker can be reached, for seven days';
const MEANS_DEAF = 'commands are not received; events are published as far as the broker allows it';
const NEXT: Readonly<Record<ProbeFault, string>> = {
  name: 'see whether the name in mqtt.url is right (ping it), or write the address instead; names in .local need avahi-daemon',
  refused:
    'see whether the broker runs there and listens to others: Mosquitto 2 listens to its own machine only unless it has a `listener 1883` line',
  unreachable: 'see whether the machine is on and in this network; a firewall may be in between',
  silent:
    'see whether the port is that of MQTT (1883, or 8883 with mqtts://); a firewall may drop packets',
  credentials:
    'check mqtt.username and the password (mqtt.password_file), and that the broker knows this user',
  tls: 'give the certificate that signed the broker’s as mqtt.tls.ca_file, use the name that is in it, and check the clock',
  subscription: 'let this user read and write below the topic (acl_file of Mosquitto)',
  other: 'the log of the broker may tell more; 1883 takes mqtt://, 8883 takes mqtts://',
};

/** Whether the broker lets this board in, or whether the embedded one can listen. */
export async function checkBroker({ around, config }: CheckInput): Promise<Finding[]> {
  if (config === null) return [];
  const { url } = config.mqtt;
  if (url === null) return [await embedded(config, around)];
  const urls = typeof url === 'string' ? [url] : url;
  return (await Promise.all(urls.map((each) => external(config, each, around)))).flat();
}

async function external(
  config: Config,
  url: string,
  { probeBroker }: CheckInput['around'],
): Promise<Finding[]> {
  const subject = shownAddress(url);
  let tls: ReturnType<typeof tlsOf>;
  try {
    tls = tlsOf(config);
  } catch (error) {
    return [fail(subject, messageOf(error), { next: 'give files that this user can read' })];
  }
  const { username, password, base, protocol, keepalive } = config.mqtt;
  const root = `${base}/${config.node}`;
  const device = deviceTopics(config);
  const result = await probeBroker({
    url,
    username,
    password,
    tls,
    keepalive,
    protocol: protocol === '3.1.1' ? 4 : protocol,
    clientId: `mobilenetd-doctor-${process.pid}-${randomUUID().slice(0, 8)}`,
    will: { topic: `${root}/state`, payload: 'offline' },
    subscribe: `${root}/request/+`,
    read: device.topics,
  });
  if (result.ok) {
    const user = username === null ? 'without a user name' : `as ${username}`;
    const found = `connected ${user} in ${result.ms} ms`;
    const rivals = rivalsIn(result.retained ?? new Map(), [root, ...device.former]);
    if (result.limits.length === 0) return [ok(subject, found), ...rivals];
    const limited = warn(subject, `${found}, but ${result.limits.join('; ')}`, {
      next: 'see the configuration of the broker (Mosquitto: max_qos, retain_available, max_packet_size)',
    });
    return [limited, ...rivals];
  }
  const means = result.fault === 'subscription' ? MEANS_DEAF : MEANS;
  return [fail(subject, result.found, { means, next: NEXT[result.fault] })];
}

/** Where this board would announce itself to Home Assistant, and what it was called before. */
function deviceTopics(config: Config): {
  readonly topics: readonly string[];
  readonly former: readonly string[];
} {
  const { enabled, prefix } = config.homeassistant;
  const store = { settings: rememberedSettings(databaseFile(config.state_dir)) };
  const former = formerNames(store)?.root;
  const { id } = deviceOf(config, store);
  return {
    topics: enabled ? [discoveryTopic(prefix, id)] : [],
    former: former === undefined ? [] : [former],
  };
}

/** Boards that Home Assistant takes for this one: `own` are the names (`<base>/<node>`) of this board. */
function rivalsIn(
  retained: ReadonlyMap<string, Buffer>,
  own: readonly string[],
): readonly Finding[] {
  const found = [...retained.values()].map(rootIn);
  const rivals = found.filter((root): root is string => root !== null && !own.includes(root));
  return rivals.map((rival) =>
    warn('Home Assistant', describeRival(rival, own[0] ?? ''), { next: RIVAL_NEXT }),
  );
}

async function embedded(config: Config, around: CheckInput['around']): Promise<Finding> {
  const { listen } = config.mqtt.embedded;
  const { host, port } = parseListen(listen);
  const subject = `embedded broker on ${listen}`;
  const code = await around.tryListen(host, port);
  if (code === null) return ok(subject, 'the port is free');
  if (code !== 'EADDRINUSE') {
    return fail(subject, `cannot listen there (${code})`, {
      next: 'set mqtt.embedded.listen to a loopback address and a port above 1023',
    });
  }
  if (await isOurs(config, around, port)) return ok(subject, 'the running daemon has it');
  if (port === 0) return info(subject, 'any free port');
  return fail(subject, 'another program listens there, perhaps Mosquitto', {
    means: 'the daemon does not start',
    next: `set mqtt.url to mqtt://${listen} to use that broker, or mqtt.embedded.listen to another port`,
  });
}

async function isOurs(
  config: Config,
  { env }: CheckInput['around'],
  port: number,
): Promise<boolean> {
  const { socket } = config.control;
  const sockets = socket === null ? controlSockets(config.state_dir, env) : [socket];
  const answer = await askDaemon({ verb: 'status' }, { sockets, timeout: 2000 }).catch(() => null);
  return JSON.stringify(answer ?? '').includes(`:${port}","embedded":true`);
}
