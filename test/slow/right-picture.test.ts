import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import t from 'tap';
import { aedes, mosquitto } from '../mqtt/brokers.js';
import { markOf, numberOf, startLine } from './picture-line.js';
import { soak } from './soak.js';

t.setTimeout(600_000);

/** Of each camera; both fire at the same moment. */
const EACH = soak(80, 250);
/** Events of a camera that may be on their way while it fires again: more frames than wait are left out. */
const AHEAD = 2;
const CAMERAS = ['front', 'back'] as const;

interface Read {
  readonly camera: string;
  readonly event: Record<string, unknown>;
  readonly attributes: Record<string, unknown>;
  /** What was on the snapshot topic, and in the file, when the event came. */
  readonly shown: Buffer;
  readonly kept: Buffer;
}

for (const kind of [mosquitto, aedes]) {
  t.test(
    `who reads the picture on the event reads this event's, with ${kind.name}`,
    { skip: kind.available ? false : 'not installed' },
    async (t) => {
      const broker = await kind.make();
      await broker.start();
      t.teardown(() => broker.stop());
      const house = await mqtt.connectAsync(broker.house.url, broker.house.options);
      t.teardown(() => house.endAsync());
      const last = new Map<string, Buffer>();
      const reads: Read[] = [];
      let folder = '';
      let state = '';
      house.on('message', (topic, payload) => {
        const [, , camera = '', ...rest] = topic.split('/');
        if (camera === 'state') state = payload.toString();
        const what = rest.join('/');
        if (what !== 'events') {
          last.set(`${camera}/${what}`, payload);
          return;
        }
        const event = JSON.parse(payload.toString());
        if (event.type !== 'new') return;
        const file = join(folder, 'pictures', `${event.id}.jpg`);
        reads.push({
          ...{ camera, event, shown: last.get(`${camera}/snapshot`) ?? Buffer.alloc(0) },
          attributes: JSON.parse(String(last.get(`${camera}/snapshot/attributes`) ?? '{}')),
          kept: existsSync(file) ? readFileSync(file) : Buffer.alloc(0),
        });
      });
      await house.subscribeAsync(['mobilenetd/board/state', 'mobilenetd/board/+/snapshot/#'], {
        qos: 1,
      });
      await house.subscribeAsync('mobilenetd/board/+/events', { qos: 1 });
      const line = await startLine(t, { url: broker.url, cameras: CAMERAS });
      folder = line.folder;
      // Of what is told late, after an outage, the topic has the newest picture.
      while (state !== 'online') await delay(5);

      for (let turn = 0; turn < EACH; turn += 1) {
        while (reads.length < CAMERAS.length * (turn - AHEAD)) await delay(2);
        // The cameras' frames have numbers of their own.
        CAMERAS.forEach((camera, index) => {
          line.show(camera, index * 1000 + turn);
        });
        await delay(5);
      }
      while (reads.length < CAMERAS.length * EACH) await delay(20);

      let right = 0;
      for (const { camera, event, attributes, shown, kept } of reads) {
        const number = numberOf(Number(event.score));
        const marks = [shown, kept].some(({ length }) => length === 0)
          ? []
          : [await markOf(shown), await markOf(kept)];
        const isRight =
          marks.length === 2 &&
          marks.every((mark) => mark === number) &&
          attributes.event === event.id &&
          attributes.time === event.picture &&
          event.camera === camera;
        if (isRight) right += 1;
        else t.fail(`${event.id} is ${number}, pictures ${marks}, shown for ${attributes.event}`);
      }
      t.equal(right, CAMERAS.length * EACH);
      t.comment(`${right} of ${reads.length}`);
    },
  );
}
