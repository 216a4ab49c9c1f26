import t from 'tap';
import { createRedactor, redactUrl } from '#mobilenetd/camera/redact.js';

t.test('an address loses what may be secret', (t) => {
  for (const [url, clean] of [
    ['rtsp://cam.local:554/stream1', 'rtsp://cam.local:554/stream1'],
    ['rtsp://admin:geheim@cam.local/stream1', 'rtsp://********@cam.local/stream1'],
    ['rtsp://admin:ge@heim@cam.local/stream1', 'rtsp://********@cam.local/stream1'],
    ['http://cam/video.cgi?user=admin&pwd=geheim', 'http://cam/video.cgi?********'],
    ['http://cam/#geheim', 'http://cam/?********'],
    ['geheim', '********'],
  ] as const) {
    t.equal(redactUrl(url), clean);
  }
  t.end();
});

t.test('a program may say what it likes', (t) => {
  const url = 'http://ad%6Din:ge%20heim@cam/video.cgi?token=abc123&x=1';
  const redact = createRedactor(url);
  const said = [
    `${url}: Connection refused`,
    'login ge heim failed',
    'bad ge%20heim',
    'cannot use token abc123',
    'rtsp://other:word@cam/x',
    'query token=abc123&x=1',
  ].map(redact);
  t.notMatch(said.join('\n'), /heim|abc123|word/);
  t.match(said[0], /^http:\/\/\*{8}@cam\/video\.cgi\?\*{8}: Connection refused$/);
  t.equal(redact('1 frame=  1 x'), '1 frame=  1 x', 'harmless text stays');
  t.equal(createRedactor('not an address')('not an address'), '********');
  t.end();
});
