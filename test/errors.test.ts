import t from 'tap';
import { withoutLeftovers } from '#mobilenetd/camera/sources/ffmpeg/source.js';
import { codedError, reasonOf } from '#mobilenetd/errors.js';

t.test('a reason is short where its subject stands beside it', async (t) => {
  const failed = { subject: 'rtsp://192.0.2.7/x', found: 'connect ECONNREFUSED 192.0.2.7:554' };
  t.equal(reasonOf(codedError('MND_CAMERA_FAILED', failed)), 'connect ECONNREFUSED 192.0.2.7:554');
  const found = "ENOENT: no such file or directory, access '/none.mp4'";
  t.equal(
    reasonOf(codedError('MND_CAMERA_MISSING', { subject: '/none.mp4', expected: 'a file', found })),
    '/none.mp4: the program or device a camera needs is missing; expected a file; found no such file or directory',
  );
  t.equal(reasonOf(codedError('MND_CAMERA_FAILED', { found: 'x', next: 'do y' })), 'x; do y');
  t.equal(reasonOf(new Error('plain')), 'plain');
});

t.test("ffmpeg's leftovers are taken out of its last words", async (t) => {
  for (const [line, told] of [
    ['[in#0 @ 0x55d0c8] Error opening input', 'Error opening input'],
    ['[rtsp @ 0x1a] [tcp @ 0x2b] Connection refused', 'Connection refused'],
    ['/dev/video0: Device or resource busy', 'Device or resource busy'],
    ['file:/dev/video0: Invalid data', 'Invalid data'],
    ['no leftovers', 'no leftovers'],
  ] as const) {
    t.equal(withoutLeftovers(line, '/dev/video0'), told);
  }
});
