import { pathToFileURL } from 'node:url';
import t from 'tap';
import { loadResize } from '#mobilenetd/inference/resize.js';
import { resizeBilinear } from '#mobilenetd/vision/resize.js';

t.test('the kernel that was built', async (t) => {
  const { kind, reason, resize } = loadResize();
  t.equal(kind, 'simd');
  t.equal(reason, null);
  t.not(resize, resizeBilinear);
});

t.test('the plain resize where there is no kernel', async (t) => {
  t.match(loadResize(pathToFileURL('/nonexistent.wasm')), {
    kind: 'plain',
    reason: /ENOENT/,
    resize: resizeBilinear,
  });
  const broken = pathToFileURL('package.json');
  t.match(loadResize(broken), { kind: 'plain', reason: /WebAssembly/, resize: resizeBilinear });
});
