import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { MAX_STREAMS } from '#mobilenetd/http/stream.js';
import { servePage } from './page-server.js';

interface Reader {
  readonly status: number;
  /** Waits until this text has come. */
  until(text: string): Promise<void>;
  text(): string;
  close(): void;
}

function openStream(port: number, headers: Record<string, string> = {}): Promise<Reader> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path: '/api/v1/stream',
      headers,
      agent: false,
    });
    sent.on('error', reject);
    sent.on('response', (answer: IncomingMessage) => {
      let text = '';
      let look = (_news: string): void => {};
      answer.on('error', () => {});
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        look(chunk);
      });
      resolve({
        status: answer.statusCode ?? 0,
        text: () => text,
        until: (wanted) =>
          new Promise((done) => {
            // Looking through all of a long text at each chunk would take longer than anything else here.
            let unseen = '';
            look = (news) => {
              unseen += news;
              if (unseen.includes(wanted)) done();
              unseen = unseen.slice(-wanted.length);
            };
            look(text);
          }),
        close: () => sent.destroy(),
      });
    });
    sent.end();
  });
}

const eventOf = (id: string) => ({ kind: 'event' as const, data: { id } });

t.test('a viewer is told of everything, and of missed events when he comes back', async (t) => {
  const page = await servePage(t);
  const first = await openStream(page.port);
  t.equal(first.status, 200);
  await first.until('event: state');
  page.source.tell(eventOf('a'));
  page.source.newest = [{ camera: 'front', sequence: 7, labels: [{ label: 'person' }] }];
  await first.until('event: labels\ndata: {"camera":"front","labels":[{"label":"person"}]}');
  const told = /id: (\S+)\nevent: event\ndata: {"id":"a"}\n\n/.exec(first.text());
  const seen = told?.[1] ?? '';
  t.match(seen, /^[0-9a-f]{8}-1$/);
  first.close();
  page.source.tell(eventOf('b'));
  page.source.tell(eventOf('c'));
  const second = await openStream(page.port, { 'Last-Event-ID': seen.replace(/1$/, '2') });
  await second.until('"id":"c"');
  t.notMatch(second.text(), '"id":"b"');
  second.close();
  for (const other of ['99', 'deadbeef-99', seen.replace(/1$/, 'x'), '-1', 'a'.repeat(3000)]) {
    const late = await openStream(page.port, { 'Last-Event-ID': other });
    await late.until('"id":"c"');
    t.match(
      late.text(),
      '"id":"a"',
      `${other.slice(0, 20)}: of another run, so everything is news`,
    );
    late.close();
  }
  const fresh = await openStream(page.port);
  await fresh.until('event: state');
  t.notMatch(fresh.text(), 'event: event');
  fresh.close();
});

t.test('labels are told once, and those of the newest frame', async (t) => {
  const page = await servePage(t);
  const viewer = await openStream(page.port);
  page.source.newest = [{ camera: 'front', sequence: 1, labels: [{ label: 'cup' }] }];
  await viewer.until('"cup"');
  const states = () => viewer.text().split('event: state').length;
  const before = states();
  while (states() < before + 2) await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(viewer.text().split('"cup"').length, 2, 'not again while the frame is the same');
  page.source.newest = [{ camera: 'front', sequence: 2, labels: [] }];
  await viewer.until('"labels":[]');
  viewer.close();
});

t.test('so many viewers and no more; a place is free when one goes', async (t) => {
  const page = await servePage(t);
  const viewers = await Promise.all(
    Array.from({ length: MAX_STREAMS }, () => openStream(page.port)),
  );
  t.ok(viewers.every(({ status }) => status === 200));
  const late = await openStream(page.port);
  t.equal(late.status, 429);
  viewers[0]?.close();
  let again = await openStream(page.port);
  while (again.status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    again = await openStream(page.port);
  }
  for (const viewer of [...viewers, late, again]) viewer.close();
});

t.test('a reader who takes nothing is dropped, others are not', async (t) => {
  const page = await servePage(t);
  const good = await openStream(page.port);
  await good.until('event: state');
  const slow = connect(page.port, '127.0.0.1');
  slow.pause();
  slow.on('error', () => {});
  slow.write('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const closed = new Promise<void>((resolve) => slow.on('close', () => resolve()));
  const data = { text: 'x'.repeat(60_000) };
  for (let round = 0; round < 400; round += 1) {
    page.source.tell({ kind: 'governor', data });
    await new Promise((resolve) => setImmediate(resolve));
  }
  page.source.tell(eventOf('end'));
  await good.until('"id":"end"');
  slow.resume();
  await closed;
  t.pass('the slow reader has been cut off');
  good.close();
});
