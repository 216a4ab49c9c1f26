import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** A tab that shows one picture a second and hears everything; returns how to close it. */
export function look(url) {
  const stop = new AbortController();
  const { signal } = stop;
  request(`${url}api/v1/stream`, { signal }, (answer) => answer.resume().on('error', () => {}))
    .on('error', () => {})
    .end();
  const poll = async () => {
    for (let after = -1; !signal.aborted; ) {
      const answer = await fetch(`${url}api/v1/cameras/demo/frame.jpg?after=${after}`, { signal });
      after = Number(answer.headers.get('x-frame-sequence') ?? after);
      await answer.arrayBuffer();
      await delay(1000, undefined, { signal });
    }
  };
  poll().catch(() => {});
  return () => stop.abort();
}
