import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that Linux gives to whoever asks for any (`net.ipv4.ip_local_port_range`), above well-known ones. */
const FIRST = 10_000;
const LAST = 32_767;

/**
 * A port of loopback that nobody listens at. Nobody else is given it while a broker that is started again is
 * away: the system hands out others.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST + 1);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
