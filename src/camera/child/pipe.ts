import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A way for a child's output that costs no memory a chunk. */
export interface ReusedPipe {
  /** The child's end: its stdout. To be destroyed here once the child has it. */
  readonly childEnd: Socket;
  /** Our end. */
  readonly reader: Socket;
}

/** More than a socket's buffer holds on Linux, so that one read empties it. */
const BUFFER_BYTES = 256 * 1024;

/**
 * Opens a pair of connected local sockets, the same kind of pipe that a child gets anyway, but read
 * into one buffer that is used again. The pipes that `spawn` makes allocate 64 kB for every chunk;
 * at 640 × 480 and 10 frames a second that is 5 MB a second, and collecting it costs more than all
 * the rest of a frame's way outside the network. Rejects where no socket can be made.
 *
 * @param onChunk its bytes are valid until it returns
 */
export async function openReusedPipe(onChunk: (chunk: Uint8Array) => void): Promise<ReusedPipe> {
  // Only this user can enter the folder, and it is gone before the child starts.
  const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-pipe-'));
  const server = createServer({ pauseOnConnect: true });
  try {
    const path = join(folder, 's');
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const reader = connect({
      path,
      onread: {
        buffer: new Uint8Array(BUFFER_BYTES),
        callback: (length, buffer) => {
          onChunk(buffer.subarray(0, length));
          return true;
        },
      },
    });
    await new Promise<void>((resolve, reject) => {
      reader.once('connect', resolve);
      reader.once('error', reject);
    });
    return { childEnd: await accepted, reader };
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
