import type { Aedes, Client, PublishPacket } from 'aedes';
import type { ByteBudget } from './byte-budget.js';

/** What aedes keeps of QoS 2 messages between PUBLISH and PUBREL. */
interface Incoming {
  incomingStorePacket(client: Client, packet: PublishPacket): Promise<unknown>;
  incomingDelPacket(client: Client, packet: { messageId: number }): Promise<unknown>;
  incomingGetPacket(client: Client, packet: { messageId: number }): Promise<PublishPacket>;
  cleanIncoming(client: Client): Promise<unknown>;
}

/** Bounds those messages in bytes; a client that exceeds it is disconnected, and they are forgotten. */
export function boundIncoming(
  broker: Aedes,
  budget: ByteBudget<Client>,
  onFull: (client: Client) => void,
): void {
  const { persistence } = broker as unknown as { readonly persistence: Incoming };
  const store = persistence.incomingStorePacket.bind(persistence);
  const remove = persistence.incomingDelPacket.bind(persistence);
  persistence.incomingStorePacket = async (client, packet) => {
    if (!budget.take(client, packet.payload.length + packet.topic.length)) {
      onFull(client);
      throw new Error('too many QoS 2 messages without PUBREL');
    }
    return store(client, packet);
  };
  persistence.incomingDelPacket = async (client, packet) => {
    const { payload, topic } = await persistence.incomingGetPacket(client, packet);
    budget.give(client, payload.length + topic.length);
    return remove(client, packet);
  };
  broker.on('clientDisconnect', (client) => void persistence.cleanIncoming(client));
}
