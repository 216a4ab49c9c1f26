import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { parseCalibration } from '#mobilenetd/convert/calibration.js';
import { convertDetectorGraph } from '#mobilenetd/convert/float-detector.js';
import { readTfjs } from '#mobilenetd/convert/tfjs/read.js';
import { openOnnx } from '../convert/session.js';
import { detect, picturePixels } from './run-detector.js';

const FOLDER = process.env.MOBILENETD_DETECTOR ?? '.cache/ssdlite_mobilenet_v2_coco';
const CALIBRATION = 'models/ssdlite_mobilenet_v2_coco.calibration.json';
const LABELS = 'models/labels/coco_91.txt';
const SIZE = 300;

const svg = (drawing: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480">${drawing}</svg>`;

const octagon = (radius: number, fill: string) => {
  const points = Array.from({ length: 8 }, (_, corner) => {
    const angle = (Math.PI * (2 * corner + 1)) / 8;
    return `${320 + radius * Math.cos(angle)},${210 + radius * Math.sin(angle)}`;
  });
  return `<polygon points="${points.join(' ')}" fill="${fill}"/>`;
};

const SCENES: readonly (readonly [label: string, drawing: string])[] = [
  [
    'stop sign',
    `<rect width="640" height="480" fill="#9cc4e4"/><rect y="380" width="640" height="100"
     fill="#6b8e4e"/><rect x="312" y="250" width="16" height="200" fill="#777"/>
     ${octagon(130, '#fff')}${octagon(120, '#c1121f')}
     <g stroke="#fff" stroke-width="14" fill="none"><path d="M268 186q-6-14-22-10q-16 6-8 20q14 8 22
     14q10 12-2 24q-18 10-30-6"/><path d="M282 178h52M308 178v64"/><rect x="342" y="180" width="26"
     height="58" rx="12"/><path d="M386 246v-66h18q18 4 14 20q-4 14-20 14h-10"/></g>`,
  ],
  [
    'clock',
    `<rect width="640" height="480" fill="#e8dcc0"/><circle cx="320" cy="240" r="150" fill="#222"/>
     <circle cx="320" cy="240" r="135" fill="#fff"/>
     ${Array.from({ length: 12 }, (_, hour) => {
       return `<rect x="315" y="115" width="10" height="24" transform="rotate(${hour * 30} 320 240)"/>`;
     }).join('')}
     <rect x="315" y="150" width="10" height="95" transform="rotate(60 320 240)"/>
     <rect x="317" y="125" width="6" height="120" transform="rotate(-60 320 240)"/>`,
  ],
  [
    'traffic light',
    `<rect width="640" height="480" fill="#a9d0f0"/><rect x="312" y="330" width="16" height="150"
     fill="#444"/><rect x="265" y="70" width="110" height="270" rx="16" fill="#1c1c1c"/>
     <circle cx="320" cy="120" r="36" fill="#ff2a1a"/><circle cx="320" cy="205" r="36"
     fill="#3a3a10"/><circle cx="320" cy="290" r="36" fill="#103a14"/>`,
  ],
];

const skip = existsSync(join(FOLDER, 'model.json'))
  ? false
  : `no detector in ${FOLDER}: run node scripts/fetch-detector.mjs`;

t.test('the published COCO detector sees what is drawn, int8 as float32', { skip }, async (t) => {
  const shards = readdirSync(FOLDER).filter((name) => name.startsWith('group1-shard'));
  const graph = readTfjs({
    modelJson: readFileSync(join(FOLDER, 'model.json')),
    shards: shards.sort().map((name) => readFileSync(join(FOLDER, name))),
  });
  const calibration = parseCalibration(JSON.parse(readFileSync(CALIBRATION, 'utf8')));
  const labels = readFileSync(LABELS, 'utf8').trimEnd().split('\n');
  t.equal(labels.length, 91);
  const found: { label: string; score: number }[][] = [];
  for (const form of ['float32', 'symmetric', 'reduced'] as const) {
    const { onnx, head, report } = convertDetectorGraph(graph, { form, calibration });
    t.equal(report.parameters, 4_475_167);
    t.equal(report.operators.conv, 55);
    t.equal(report.operators['depthwise-conv'], 33);
    t.equal(report.operators.add, 10);
    t.equal(report.multAdds?.toFixed(1), '749.5');
    if (head.kind !== 'ssd') throw new Error(head.kind);
    const session = await openOnnx(onnx, form);
    for (const [label, drawing] of SCENES) {
      const detections = await detect(
        session,
        head,
        await picturePixels(
          await sharp(Buffer.from(svg(drawing)))
            .png()
            .toBuffer(),
          SIZE,
        ),
        {
          size: SIZE,
          threshold: 0.5,
        },
      );
      const named = detections.map(({ index, score }) => ({ label: labels[index] ?? '', score }));
      found.push(named);
      t.equal(named[0]?.label, label, `${form}: ${JSON.stringify(named)}`);
      t.ok((named[0]?.score ?? 0) > 0.85, `${form}: ${label}`);
    }
    await session.close();
  }
  SCENES.forEach(([label], index) => {
    const float = found[index]?.[0]?.score ?? 0;
    for (const int8 of [1, 2].map((form) => found[index + form * SCENES.length]?.[0]?.score ?? 0)) {
      t.ok(Math.abs(float - int8) < 0.03, `${label}: ${float} and ${int8}`);
    }
  });
});
