/** Type of a packet: the upper half of its first byte (MQTT 3.1.1 and 5, 2.1.2). */
export const PUBACK = 4;

/** Bytes of a packet's body that an observer is shown. */
const HEAD_BYTES = 3;

/**
 * Watches a stream of MQTT packets for one that is larger than `limit` bytes (of its type), by its fixed header
 * alone (MQTT 3.1.1 and 5, 2.1): the parsers of clients and brokers collect a whole packet, of up to
 * 256 MB, before anybody can refuse it.
 *
 * The returned function takes the chunks in order and is true as long as all is well. `onPacket` sees
 * the type of every packet and the first three bytes of its body, once they are there.
 */
export function createPacketLimit(
  limit: number | ((type: number) => number),
  onPacket: (type: number, head: readonly number[]) => void = () => {},
): (chunk: Uint8Array) => boolean {
  /** Bytes of the running packet's body still to come. */
  let body = 0;
  /** Bytes of the running packet's fixed header seen so far; 0 between packets. */
  let header = 0;
  let length = 0;
  let type = 0;
  let head: number[] = [];
  let fine = true;

  function readBody(chunk: Uint8Array, at: number): number {
    const size = Math.min(body, chunk.length - at);
    for (let i = at; i < at + size && head.length < HEAD_BYTES; i++) head.push(chunk[i] ?? 0);
    body -= size;
    if (body === 0) onPacket(type, head);
    return size;
  }

  return (chunk) => {
    let at = 0;
    while (fine && at < chunk.length) {
      if (body > 0) {
        at += readBody(chunk, at);
        continue;
      }
      const byte = chunk[at++] ?? 0;
      header++;
      if (header === 1) {
        length = 0;
        type = byte >> 4;
        head = [];
        continue;
      }
      length += (byte & 0x7f) * 128 ** (header - 2);
      if ((byte & 0x80) !== 0 && header < 5) continue;
      const most = typeof limit === 'number' ? limit : limit(type);
      if (length > most || (byte & 0x80) !== 0) fine = false;
      body = length;
      header = 0;
      if (body === 0) onPacket(type, head);
    }
    return fine;
  };
}
