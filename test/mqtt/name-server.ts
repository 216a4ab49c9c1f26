import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { SrvRecord } from '#mobilenetd/mqtt/connection/connection.js';

/** A name server that answers questions for SRV records (RFC 1035, RFC 2782) over UDP, on loopback. */
export interface NameServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** By name; 'silent': it does not answer; 'failing': it says that it cannot (SERVFAIL). */
  records: ReadonlyMap<string, readonly SrvRecord[] | 'silent' | 'failing'>;
  /** Names that were asked for, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

const SRV = 33;
const NO_SUCH_NAME = 3;
const SERVER_FAILURE = 2;

export async function startNameServer(): Promise<NameServer> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const server: NameServer = {
    address: `127.0.0.1:${socket.address().port}`,
    records: new Map(),
    asked: [],
    async close() {
      socket.close();
      await once(socket, 'close');
    },
  };
  socket.on('message', (query, { port, address }) => {
    const { name, end } = questionIn(query);
    server.asked.push(name);
    const found = server.records.get(name);
    if (found === 'silent') return;
    socket.send(answerTo(query, end, found), port, address);
  });
  return server;
}

/** The name that a query asks for, and where its question ends. */
function questionIn(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5 };
}

function answerTo(
  query: Buffer,
  end: number,
  found: readonly SrvRecord[] | 'failing' | undefined,
): Buffer {
  const code = found === 'failing' ? SERVER_FAILURE : found === undefined ? NO_SUCH_NAME : 0;
  const records = Array.isArray(found) ? (found as readonly SrvRecord[]) : [];
  const head = Buffer.from(query.subarray(0, 12));
  // An answer, of an authority, to a question that wanted recursion.
  head.writeUInt16BE(0x8580 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, query.subarray(12, end), ...records.map(encoded)]);
}

function encoded({ name, port, priority, weight }: SrvRecord): Buffer {
  const target = Buffer.concat([
    ...(name === '' ? [] : name.split('.')).map((label) =>
      Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]),
    ),
    Buffer.from([0]),
  ]);
  const record = Buffer.alloc(18);
  // The name is that of the question.
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(SRV, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(0, 6);
  record.writeUInt16BE(6 + target.length, 10);
  record.writeUInt16BE(priority, 12);
  record.writeUInt16BE(weight, 14);
  record.writeUInt16BE(port, 16);
  return Buffer.concat([record, target]);
}
