/**
 * Watches a stream of MQTT packets for one that is larger than `limit` bytes, by its fixed header
 * alone (MQTT 3.1.1 and 5, 2.1): the parsers of clients and brokers collect a whole packet, of up to
 * 256 MB, before anybody can refuse it.
 *
 * The returned function takes the chunks in order and is true as long as all is well.
 */
export function createPacketLimit(limit: number): (chunk: Uint8Array) => boolean {
  /** Bytes of the running packet's body still to come. */
  let body = 0;
  /** Bytes of the running packet's fixed header seen so far; 0 between packets. */
  let header = 0;
  let length = 0;
  let fine = true;

  return (chunk) => {
    let at = 0;
    while (fine && at < chunk.length) {
      if (body > 0) {
        const skipped = Math.min(body, chunk.length - at);
        body -= skipped;
        at += skipped;
        continue;
      }
      const byte = chunk[at++] ?? 0;
      header++;
      if (header === 1) {
        length = 0;
        continue;
      }
      length += (byte & 0x7f) * 128 ** (header - 2);
      if ((byte & 0x80) !== 0 && header < 5) continue;
      if (length > limit || (byte & 0x80) !== 0) fine = false;
      body = length;
      header = 0;
    }
    return fine;
  };
}
