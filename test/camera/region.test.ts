import t from 'tap';
import { boxInPixels, coordinatesFault, polygonInPixels } from '#mobilenetd/camera/region.js';
import { isConfigError } from '#mobilenetd/config/check/problem.js';
import { loadConfig } from '#mobilenetd/config/load.js';

t.test('shares of the frame survive a change of its size; pixels stay', (t) => {
  for (const size of [
    [640, 480],
    [1280, 720],
    [64, 48],
  ] as const) {
    const [width, height] = size;
    t.same(
      polygonInPixels(
        [
          [0, 0],
          [1, 0],
          [0.5, 0.25],
        ],
        size,
      ),
      [
        [0, 0],
        [width, 0],
        [width / 2, height / 4],
      ],
    );
    t.same(boxInPixels([0.25, 0.5, 0.5, 0.5], size), [
      width / 4,
      height / 2,
      width / 2,
      height / 2,
    ]);
    t.same(boxInPixels([0.999, 0.999, 0.0001, 0.0001], size), [
      Math.min(width - 1, Math.round(0.999 * width)),
      Math.min(height - 1, Math.round(0.999 * height)),
      1,
      1,
    ]);
  }
  t.same(
    polygonInPixels(
      [
        [0, 0],
        [64, 0],
        [64, 48],
      ],
      [640, 480],
    ),
    [
      [0, 0],
      [64, 0],
      [64, 48],
    ],
  );
  t.same(boxInPixels([0, 0, 320, 240], [640, 480]), [0, 0, 320, 240]);
  t.equal(coordinatesFault([0, 0.5, 1]), null);
  t.equal(coordinatesFault([0, 50, 100]), null);
  t.match(coordinatesFault([0.5, 50]), /all whole/);
  t.end();
});

function problemOf(camera: object, more: object = {}): string {
  const text = JSON.stringify({ cameras: { a: { source: 'demo', ...camera } }, ...more });
  const readFile = () => Buffer.from(text);
  try {
    loadConfig({ files: ['/c.yaml'], env: {}, readFile, boardModel: null });
    return '';
  } catch (error) {
    if (isConfigError(error)) return String(error);
    throw error;
  }
}

t.test('the check of the configuration', (t) => {
  for (const camera of [
    { crop: [0, 0, 1, 1] },
    { crop: [0.35, 0.5, 0.65, 0.5] },
    { crop: [0, 240, 640, 240] },
    {
      mask: [
        [
          [0, 0],
          [1, 0],
          [1, 0.5],
        ],
      ],
    },
    {
      mask: [
        [
          [0, 0],
          [640, 0],
          [640, 480],
        ],
        [
          [0, 0],
          [0.1, 0],
          [0.1, 0.1],
        ],
      ],
    },
  ]) {
    t.equal(problemOf(camera), '', JSON.stringify(camera));
  }
  for (const [camera, message] of [
    [{ crop: [0.5, 0, 0.6, 1] }, /part of the frame/],
    [{ crop: [0, 0, 0, 1] }, /part of the frame/],
    [{ crop: [0.5, 0, 300, 200] }, /all whole/],
    [{ crop: [0, 0, 641, 480] }, /part of the frame/],
    [
      {
        mask: [
          [
            [0, 0],
            [0.5, 0],
            [640, 480],
          ],
        ],
      },
      /all whole/,
    ],
    [
      {
        mask: [
          [
            [0, 0],
            [700, 0],
            [64, 48],
          ],
        ],
      },
      /points in the frame/,
    ],
    [{ schedule: ['sunset-sunrise'] }, /need location/],
  ] as const) {
    t.match(problemOf(camera), message, JSON.stringify(camera));
  }
  const sun = { schedule: ['sunset-00:30 - sunrise'] };
  t.equal(problemOf(sun, { location: [52.5, 13.4] }), '');
  t.match(problemOf(sun, { location: [91, 0] }), /from -90 to 90/);
  t.end();
});
