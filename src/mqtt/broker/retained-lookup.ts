import { Readable } from 'node:stream';
import type { Aedes, PublishPacket } from 'aedes';
import { matchesFilter } from '../topics.js';

/** Topics that are compared with a filter in one turn. */
const SLICE = 500;

/** What aedes does with retained messages. */
interface Retaining {
  storeRetained(packet: PublishPacket): Promise<unknown>;
  createRetainedStreamCombi(filters: readonly string[]): Readable;
}

/**
 * Keeps what is retained, and looks through it for a new subscription some topics at a time: with ten
 * thousand of them one look costs milliseconds, and a client may ask for hundreds. `turn` waits for the
 * turn of whoever has just subscribed.
 */
export function serveRetained(broker: Aedes, turn: () => () => Promise<void>): void {
  const { persistence } = broker as unknown as { readonly persistence: Retaining };
  const kept = new Map<string, PublishPacket>();
  persistence.storeRetained = async (packet) => {
    if (packet.payload.length === 0) kept.delete(packet.topic);
    else kept.set(packet.topic, { ...packet });
  };
  persistence.createRetainedStreamCombi = (filters) => Readable.from(lookUp(kept, filters, turn()));
}

async function* lookUp(
  kept: ReadonlyMap<string, PublishPacket>,
  filters: readonly string[],
  turn: () => Promise<void>,
): AsyncGenerator<PublishPacket> {
  for (const filter of filters) {
    if (!/[+#]/.test(filter)) {
      const packet = kept.get(filter);
      if (packet !== undefined) yield packet;
      continue;
    }
    let seen = 0;
    for (const [topic, packet] of kept) {
      seen += 1;
      if (seen % SLICE === 0) await turn();
      if (matchesFilter(filter, topic)) yield packet;
    }
  }
}
