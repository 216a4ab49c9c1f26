import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import mqtt, { type IConnackPacket, type IConnectPacket, type Packet } from 'mqtt-packet';

/** What a broker does about something it does not like. */
export type Dislike =
  /** Closes the connection; with MQTT 5 it says DISCONNECT with the code first. */
  | { readonly close: number }
  /** Answers with this code: PUBACK or SUBACK. And closes then, as Mosquitto without a limit to its queues. */
  | { readonly code: number; readonly closes?: true }
  /** Answers with these bytes, whatever they are. */
  | { readonly bytes: (messageId: number) => Buffer };

export interface PickyRules {
  readonly version: 4 | 5;
  /** Of the CONNACK. */
  readonly properties?: IConnackPacket['properties'];
  connect?(packet: IConnectPacket): Dislike | null;
  publish?(topic: string, bytes: number, qos: number, retain: boolean): Dislike | null;
  subscribe?(filter: string, qos: number): Dislike | null;
}

/** A broker of a hundred lines that is as picky as a test wants it to be, and delivers nothing. */
export interface PickyBroker {
  readonly url: string;
  /** May be exchanged: the broker is mended. */
  rules: PickyRules;
  /** What was taken: topic and text, in order. */
  readonly taken: { topic: string; text: string; qos: number; retain: boolean }[];
  readonly filters: string[];
  /** Filters that were asked for, granted or not. */
  asked: number;
  connects: number;
  /** Largest number of QoS 1 messages that were unanswered at a time. */
  mostUnderway: number;
  /** Milliseconds until a PUBACK. */
  delayMs: number;
  /** The last text of a topic. */
  last(topic: string): string | undefined;
  /** Ends all connections, and goes on listening. */
  drop(): void;
  close(): Promise<void>;
}

export async function startPickyBroker(rules: PickyRules): Promise<PickyBroker> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    serve(socket, broker);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const broker: PickyBroker = {
    url: `mqtt://127.0.0.1:${address.port}`,
    rules,
    taken: [],
    filters: [],
    asked: 0,
    connects: 0,
    mostUnderway: 0,
    delayMs: 0,
    last: (topic) => broker.taken.findLast((message) => message.topic === topic)?.text,
    drop() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return broker;
}

function serve(socket: Socket, broker: PickyBroker): void {
  const { version } = broker.rules;
  const parser = mqtt.parser({ protocolVersion: version });
  let underway = 0;
  const write = (bytes: Buffer) => void (socket.writable && socket.write(bytes));
  const send = (packet: Packet) => write(mqtt.generate(packet, { protocolVersion: version }));
  const hangUp = () => {
    socket.end();
    parser.removeAllListeners('packet');
  };
  const drop = (code: number) => {
    if (version === 5) send({ cmd: 'disconnect', reasonCode: code });
    hangUp();
  };
  parser.on('error', () => socket.destroy());
  parser.on('packet', (packet) => {
    const { rules } = broker;
    if (packet.cmd === 'connect') {
      const dislike = rules.connect?.(packet) ?? null;
      const wrong = packet.protocolVersion !== version;
      if (dislike !== null && 'close' in dislike) return void socket.end();
      const code = wrong ? 132 : dislike !== null && 'code' in dislike ? dislike.code : 0;
      broker.connects += code === 0 ? 1 : 0;
      send({
        cmd: 'connack',
        returnCode: wrong ? 1 : code,
        reasonCode: code,
        sessionPresent: false,
        ...(version === 5 && rules.properties && { properties: rules.properties }),
      });
      if (code !== 0) socket.end();
    } else if (packet.cmd === 'subscribe') {
      const granted = packet.subscriptions.map(({ topic, qos }) => {
        const dislike = rules.subscribe?.(topic, qos) ?? null;
        broker.asked += 1;
        if (dislike === null) broker.filters.push(topic);
        if (dislike !== null && 'close' in dislike) drop(dislike.close);
        return dislike !== null && 'code' in dislike ? dislike.code : 0;
      });
      send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted });
      const closes = packet.subscriptions.some(({ topic, qos }) => {
        const dislike = rules.subscribe?.(topic, qos) ?? null;
        return dislike !== null && 'code' in dislike && dislike.closes;
      });
      if (closes) hangUp();
    } else if (packet.cmd === 'unsubscribe') {
      send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted: [0] });
    } else if (packet.cmd === 'pingreq') {
      send({ cmd: 'pingresp' });
    } else if (packet.cmd === 'publish') {
      const { topic, payload, qos, retain, messageId = 0 } = packet;
      const size = Buffer.byteLength(payload);
      const dislike = rules.publish?.(topic, size, qos, retain) ?? null;
      if (dislike !== null && 'close' in dislike) return drop(dislike.close);
      if (dislike === null) broker.taken.push({ topic, text: String(payload), qos, retain });
      if (qos === 0) return;
      underway += 1;
      broker.mostUnderway = Math.max(broker.mostUnderway, underway);
      setTimeout(() => {
        underway -= 1;
        if (dislike !== null && 'bytes' in dislike) return write(dislike.bytes(messageId));
        // Written by hand: what brokers say is not always what the protocol foresees.
        if (dislike !== null) {
          const id = [messageId >> 8, messageId & 255];
          write(Buffer.from([0x40, 3, ...id, dislike.code]));
          if (dislike.closes) hangUp();
          return;
        }
        return send({ cmd: 'puback', messageId, reasonCode: 0 });
      }, broker.delayMs);
    }
    return undefined;
  });
  socket.on('data', (chunk) => {
    try {
      parser.parse(chunk);
    } catch {
      socket.destroy();
    }
  });
}
