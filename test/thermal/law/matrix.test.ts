import t from 'tap';
import { addOuter, diagonal, multiplyVector, scaleStates } from '#mobilenetd/thermal/law/matrix.js';

t.test('small matrices, by hand', (t) => {
  const m = diagonal([1, 2]);
  t.same(m, [
    [1, 0],
    [0, 2],
  ]);
  addOuter(m, [1, 2], [3, 4], 0.5);
  t.same(m, [
    [2.5, 2],
    [3, 6],
  ]);
  t.same(multiplyVector(m, [1, -1]), [0.5, -3]);
  t.end();
});

t.test('scaleStates is F m Fᵀ', (t) => {
  // F = [[1, 3], [0, 0.5]] on [[2, 1], [1, 4]]: [[44, 6.5], [6.5, 1]].
  const m = [
    [2, 1],
    [1, 4],
  ];
  scaleStates(m, 0, 1, 3, 0.5);
  t.same(m, [
    [44, 6.5],
    [6.5, 1],
  ]);
  t.end();
});
