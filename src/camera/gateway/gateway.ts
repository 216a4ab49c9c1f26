import type { AddressInfo, Server } from 'node:net';

/**
 * What stands between ffmpeg and a camera: ffmpeg is given an address of this machine, and what the camera
 * answers reaches it only after it has been looked at. So no answer can send it to another host or protocol.
 */
export interface Gateway {
  /** The address for ffmpeg, in the place of the camera's. */
  readonly url: string;
  /** Why the camera could not be reached, or what of its answer was refused; null: nothing was. */
  fault(): Error | null;
  close(): void;
}

/** Listens on loopback; resolves with the port. */
export function listenLocally(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
