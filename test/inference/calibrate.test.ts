import t from 'tap';
import { bestClip, requireReadableNames } from '#mobilenetd/inference/calibrate.js';

const BINS = 1024;

function counted(of: (bin: number) => number): Float64Array {
  return Float64Array.from({ length: BINS }, (_, bin) => of(bin));
}

t.test('what is as common as the rest is kept', async (t) => {
  t.ok(bestClip(counted(() => 10)) > 0.97);
  t.ok(bestClip(counted((bin) => (bin === BINS - 1 ? 5 : 0))) > 0.97, 'a single value');
  t.equal(bestClip(counted(() => 0)), 1, 'a dead channel');
});

t.test('rare values far out are cut off, as long as they are rare', async (t) => {
  const withPeaks = (peaks: number) =>
    counted((bin) => (bin === BINS - 1 ? peaks : bin > 0 && bin <= 100 ? 10_000 : 0));
  const clip = bestClip(withPeaks(1));
  t.ok(clip >= 100 / (BINS - 1) && clip < 0.9, `one of a million: ${clip}`);
  t.ok(bestClip(withPeaks(1000)) > 0.98, 'a thousand of them');
  const zeros = withPeaks(1);
  zeros[0] = 1e9;
  t.equal(bestClip(zeros), clip, 'zeros are exact whatever the step');
});

t.test('names that onnxruntime would cut short', (t) => {
  for (const name of ['a\u0000b', 'activa\u0001', '\n']) {
    t.throws(() => requireReadableNames(['fine/name:0', name]), { code: 'MND_MODEL_INVALID' });
  }
  requireReadableNames(['fine/name:0', 'größe', 'a b']);
  t.end();
});
