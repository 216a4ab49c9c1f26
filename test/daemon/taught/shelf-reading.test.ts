import t from 'tap';
import { ShelfReading } from '#mobilenetd/daemon/taught/shelf-reading.js';
import type { Crop } from '#mobilenetd/taught/crop-files.js';
import { taskOf } from '#mobilenetd/taught/task.js';
import { createFakeClock } from '../../fake-clock.js';

const CROP: Crop = {
  task: taskOf({}),
  label: 'cup',
  id: 'a',
  batch: 'a',
  file: '/a.jpg',
  bytes: 10,
};

t.test(
  'a disk that fails takes nothing away, is said, and is asked again every minute',
  async (t) => {
    const clock = createFakeClock();
    const said: unknown[] = [];
    let isBroken = false;
    let asked = 0;
    const reading = new ShelfReading({
      shelf: {
        async list() {
          asked += 1;
          if (isBroken) throw new Error('EIO');
          return [CROP];
        },
      },
      onFault: (error) => said.push(error),
      onRetry: () => void reading.read(),
      clock,
    });
    await reading.read();
    t.match(reading.tasks(), [{ labels: [{ label: 'cup', pictures: 1 }] }]);
    t.equal(clock.pending(), 0, 'a disk that works is not asked by the clock');
    isBroken = true;
    await reading.read();
    t.equal(reading.fault(), 'EIO');
    t.equal(reading.tasks().length, 1, 'what was known stays');
    await clock.advance(61_000);
    t.equal(asked, 3);
    await reading.read();
    t.equal(clock.pending(), 1, 'one who asks meanwhile does not double the clock');
    isBroken = false;
    await clock.advance(61_000);
    t.equal(reading.fault(), null);
    t.equal(clock.pending(), 0);
    t.equal(said.length, 3);
    isBroken = true;
    reading.close();
    await reading.read();
    t.equal(clock.pending(), 0, 'nobody is asked after the end');
    t.same(reading.tasks(), []);
  },
);
