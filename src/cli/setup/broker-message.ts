import { randomUUID } from 'node:crypto';
import type { Config } from '../../config/config.js';
import { messagingOptionsOf } from '../../daemon/options/broker.js';
import { messageOf } from '../../errors.js';
import { createConnection } from '../../mqtt/connection/connection.js';
import { systemClock } from '../../time.js';
import type { Trial } from './step.js';

const PATIENCE_MS = 15_000;

/**
 * Publishes a message below the board's own topic and waits until the broker hands it back: a broker
 * may acknowledge what its access list then drops. It is not retained.
 */
export async function sendThrough(config: Config, signal: AbortSignal): Promise<Trial> {
  const { url, connection: how, base, node } = messagingOptionsOf(config);
  const to = `${base}/${node}/setup`;
  if (url === null) return { to, error: 'there is no broker yet' };
  const text = JSON.stringify({ text: 'mobilenetd setup was here', id: randomUUID() });
  const connection = createConnection({ ...how, url, clientId: `mobilenetd-setup-${process.pid}` });
  let cancel = () => {};
  try {
    const arrived = new Promise<null>((resolve, reject) => {
      connection.onConnect(() => {
        connection.publish(to, text, { qos: 1, retain: false }).catch(reject);
      });
      void connection
        .subscribe([to], ({ payload }) => {
          if (payload.toString() === text) resolve(null);
        })
        .catch(reject);
    });
    const late = new Promise<string>((resolve) => {
      const stopWaiting = systemClock.setTimer(
        () => resolve(`nothing within ${PATIENCE_MS / 1000} s`),
        PATIENCE_MS,
      );
      const stop = () => resolve('interrupted');
      signal.addEventListener('abort', stop, { once: true });
      cancel = () => {
        stopWaiting();
        signal.removeEventListener('abort', stop);
      };
    });
    connection.start();
    return { to, error: await Promise.race([arrived, late]) };
  } catch (error) {
    return { to, error: messageOf(error) };
  } finally {
    cancel();
    await connection.close();
  }
}
