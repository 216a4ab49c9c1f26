// Courses with other programs on the same CPU, and faults of the sensor that last or creep.

/** Seconds in which a random telegraph is on: exponential times, cut at three times their mean. */
function telegraph(draw, onS, offS, fromS, untilS) {
  const span = (mean) => Math.min(3 * mean, -mean * Math.log(1 - draw.next()));
  const edges = [];
  for (let t = fromS; t < untilS; ) {
    const start = t + span(offS);
    t = start + span(onS);
    edges.push([start, t]);
  }
  return (s) => edges.some(([a, b]) => s >= a && s < b);
}

const REST = 0.03;
const square = (share, onS, periodS, fromS) => (t) => ({
  foreign: t >= fromS && (t - fromS) % periodS < onS ? share : REST,
});

export const NEIGHBOURS = {
  // One program that takes most of the CPU for minutes.
  'hog-minutes': (d) => {
    const [start, lasts, share] = [d.between(900, 1500), d.between(180, 1200), d.between(0.6, 0.9)];
    return { at: (t) => ({ foreign: t >= start && t < start + lasts ? share : REST }) };
  },
  'square-130': (d) => ({ at: square(d.between(0.6, 0.9), 50, 130, d.between(500, 700)) }),
  'square-400': (d) => ({ at: square(d.between(0.6, 0.9), 160, 400, d.between(500, 700)) }),
  // Any period from 20 to 600 s, any share of it.
  'square-any': (d) => {
    const period = d.log(20, 600);
    return { at: square(d.between(0.3, 0.95), period * d.between(0.2, 0.6), period, 600) };
  },
  // Half a minute at random, a quarter of the time.
  poisson: (d) => {
    const [on, share] = [telegraph(d, 30, 90, 500, 3600), d.between(0.6, 0.9)];
    return { at: (t) => ({ foreign: on(t) ? share : REST }) };
  },
  // Takes what we leave: the less we do, the more it does.
  'takes-the-rest': (d) => {
    const on = telegraph(d, d.between(60, 400), d.between(60, 400), 600, 3600);
    return { at: (t) => ({ foreign: on(t) ? 1 : REST }) };
  },
};

/** A fault of 30 s, now and then. */
function short(d, corrupt) {
  const faults = Array.from({ length: 5 }, (_, i) => 900 + 500 * i + d.between(0, 200));
  const inFault = (t) => faults.some((from) => t >= from && t < from + 30);
  const push = d.chance(0.5) ? d.between(0.1, 0.4) : REST;
  return {
    fault: { fromS: faults[0], untilS: 3600, corrupt, when: inFault },
    at: (t) => ({ foreign: inFault(t) ? push : REST }),
  };
}

export const CREEPING = {
  'short-missing': (d) => short(d, () => null),
  'short-garbage': (d) =>
    short(d, () => d.pick([d.between(-60, 200), Number.NaN, 1e6, -273, undefined])),
  'short-low': (d) => short(d, () => d.pick([0, 25, 30])),
  // Frozen for 20 minutes while the room warms by 12 °C.
  'frozen-warming': (d, base) => {
    const fromS = d.between(1000, 1400);
    return {
      fault: { fromS, untilS: fromS + 1200, corrupt: (_, first) => first },
      at: (t) => ({ ambientC: base + 12 * Math.min(1, Math.max(0, (t - fromS) / 1200)) }),
    };
  },
  // The same without any change of the room.
  'frozen-calm': (d) => {
    const fromS = d.between(1000, 1400);
    return { fault: { fromS, untilS: fromS + 1200, corrupt: (_, first) => first } };
  },
  drift: (d) => {
    const [fromS, by] = [d.between(300, 900), d.chance(0.5) ? 4 : -4];
    const off = (t) => by * Math.sin((Math.PI * (t - fromS)) / 3600);
    return {
      durationS: 4500,
      fault: { fromS, untilS: 4500, corrupt: (reading, _, t) => reading + off(t) },
    };
  },
};
