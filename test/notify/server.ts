import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Test } from 'tap';
import { eventPayload } from '#mobilenetd/mqtt/publish/payloads.js';
import type { Message, Notice } from '#mobilenetd/notify/notice.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';

/** A request that a stand-in for a service has got. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

type Answer = (asked: Asked, response: ServerResponse, socket: Socket) => void;

/** A real server on loopback; `answer` can be exchanged while it runs. */
export async function startService(t: Test, answer: Answer = (_asked, response) => response.end()) {
  const asked: Asked[] = [];
  const service = { answer, asked, url: '', port: 0 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const got = { method, url, headers, body: Buffer.concat(chunks) };
      asked.push(got);
      service.answer(got, response, request.socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  service.port = (server.address() as AddressInfo).port;
  service.url = `http://127.0.0.1:${service.port}`;
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return service;
}

export function eventOf(id: string, more: Partial<PresenceEvent> = {}): PresenceEvent {
  return {
    ...{ id, type: 'new', camera: 'front', label: 'person', score: 0.8765, start: 1e12, end: null },
    ...{ model: 'm', alpha: 1, size: 300, count: 1, box: [1, 2, 3, 4], object: null },
    ...{ stationary: false, zones: [], loitering: [], subLabel: null, subScore: null },
    ...more,
  };
}

export function messageOf(
  more: Partial<Message> = {},
  event: Partial<PresenceEvent> = {},
): Message {
  const notice: Notice = {
    ...{ rule: 'night', time: 1e12, node: 'porch', board: 'Porch', cameraName: 'Front door' },
    event: eventPayload(eventOf('e1', event)),
    test: false,
  };
  return {
    ...{ notice, title: 'person at Front door', text: '88 % sure', picture: null },
    pictureFile: null,
    ...more,
  };
}
