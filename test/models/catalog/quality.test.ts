import t from 'tap';
import { qualityFigure, rankingAccuracy } from '#mobilenetd/models/catalog/quality.js';
import type { Variant } from '#mobilenetd/models/variant.js';

const measured = (size: number, matched: number, extra: number, hits: number) => ({
  size,
  matched,
  extra,
  scoreChange: 0.01,
  hits,
});

const none = { top1: null, top5: null, map: null };

function variant(change: Partial<Variant>): Variant {
  return { model: 'finder', size: 300, accuracy: none, ...change } as Variant;
}

t.test('the figure of a size', (t) => {
  t.equal(qualityFigure(measured(300, 1, 0, 1)), 1);
  t.equal(qualityFigure(measured(300, 0, 0, 0)), 0);
  // Half of the objects found, and as many false ones: precision and recall are a half.
  t.equal(qualityFigure(measured(300, 0.5, 0.5, 0.7)), 0.6);
  t.end();
});

t.test('accuracy for ranking', (t) => {
  const native = variant({
    accuracy: { ...none, map: 22 },
    quality: measured(300, 1, 0, 0.8),
  });
  const small = variant({ size: 140, quality: measured(140, 0.5, 0.5, 0.4) });
  const all = [native, small];
  t.equal(rankingAccuracy(native, all), 22, 'published');
  t.equal(rankingAccuracy(small, all), 11, 'half as good as the native size, as measured');
  t.equal(rankingAccuracy(small, [small]), 45, 'by itself where nothing was published');
  t.equal(rankingAccuracy(variant({ size: 140 }), all), null, 'not guessed');
  const other = variant({ model: 'other', accuracy: { ...none, map: 90 } });
  t.equal(rankingAccuracy(small, [other, small]), null, 'not beside published figures');
  t.equal(rankingAccuracy(variant({ accuracy: { ...none, top1: 70 } }), all), 70);
  t.end();
});
