// Random boards: two or three thermal nodes given by time constants and gains, leakage, convection
// that depends on temperature, a fan with hysteresis, firmware throttling, a sensor and a ladder.

const STEP_S = 0.25;

/** Draws a board that is worth governing: too hot at full load, not at idle, in a 25 °C room. */
export function drawBoard(draw) {
  const soft60 = draw.chance(0.2);
  const limitC = soft60 ? 60 : draw.pick([80, 80, 80, 75, 70]);
  const cased = draw.chance(0.55);
  // Rise over ambient at idle and what full load adds, °C; the load's share by node.
  const idleC = soft60 ? draw.between(8, 18) : draw.between(12, 34);
  const fullC = draw.log(1.2, 3.2) * Math.max(12, limitC - 27 - idleC);
  const shares = [
    draw.between(0.15, 0.45),
    draw.between(0.25, 0.6),
    cased ? draw.between(0.15, 0.5) : 0,
  ];
  const sum = shares[0] + shares[1] + shares[2];
  const powerW = draw.between(2.5, 8);
  const idleW = draw.between(0.3, 0.8) * powerW;
  const [dieKW, boardKW, caseKW] = shares.map((s) => ((s / sum) * fullC) / powerW);
  const tau = [draw.between(3, 20), draw.between(40, 250), draw.between(300, 1500)];
  return {
    limitC,
    soft60,
    cased,
    powerW,
    // Idle power is spread so that the idle rise comes out as drawn.
    idleW,
    idleScale: idleC / (idleW * (dieKW + boardKW + caseKW)),
    dieKW,
    boardKW,
    caseKW: Math.max(1e-6, caseKW),
    dieJK: tau[0] / dieKW,
    boardJK: tau[1] / boardKW,
    caseJK: cased ? tau[2] / caseKW : 0,
    leakW: draw.between(0, 0.08) * powerW,
    leakC: draw.between(20, 40),
    convection: draw.pick([0, 0.1, 0.2, 0.25]),
    fan: draw.chance(0.3) ? drawFan(draw) : null,
    throttle: {
      softC: soft60 ? 60 : 80,
      hysteresisC: draw.between(1, 4),
      softClock: soft60 ? 0.857 : draw.between(0.75, 0.95),
      hardC: 85,
      hardClock: draw.between(0.4, 0.6),
      flag: soft60 ? 0b1000 : 0b110,
    },
    share: draw.between(0.7, 1),
    sensor: {
      lagS: draw.chance(0.4) ? 0 : draw.between(0.3, draw.chance(0.2) ? 8 : 3),
      noiseC: draw.chance(0.25) ? 0 : draw.between(0.05, draw.chance(0.25) ? 0.8 : 0.4),
      stepC: draw.pick([0.1, 0.487, 0.487, 0.5, 0.538, 0.55, 1]),
      down: draw.chance(0.5),
      offsetC: draw.chance(0.2) ? draw.between(-0.4, 0.4) : 0,
    },
  };
}

function drawFan(draw) {
  const steps = [];
  let onC = draw.between(45, 68);
  for (let i = draw.int(1, 4); i > 0; i -= 1) {
    steps.push([onC, i === 1 ? 1 : draw.between(0.2, 0.8)]);
    onC += draw.between(5, 9);
  }
  steps.sort((x, y) => x[0] - y[0]);
  return { steps, hysteresisC: draw.between(2, 6), boost: draw.between(0.5, 2.5) };
}

/** A warmed-up board: it has stood long at `util` under `around`. */
export function settle(board, around, util) {
  const state = {
    die: around.ambientC + 20,
    board: around.ambientC + 12,
    case: around.ambientC + 6,
  };
  Object.assign(state, { duty: 0, clock: 1, soft: false, hard: false });
  const quick = { ...board, boardJK: board.dieJK * 2, caseJK: board.cased ? board.dieJK * 4 : 0 };
  for (let i = 0; i < 12_000; i += 1) stepOnce(quick, state, around, util, STEP_S);
  return state;
}

/** Advances `s` by dt seconds under heat `util` (1: the whole CPU); returns the peak of the die. */
export function advance(board, s, around, util, dt, each, stepS = STEP_S) {
  const n = Math.max(1, Math.round(dt / stepS));
  let peak = s.die;
  for (let i = 0; i < n; i += 1) {
    stepOnce(board, s, around, util, dt / n);
    if (s.die > peak) peak = s.die;
    if (each !== undefined) each(dt / n);
  }
  return peak;
}

function stepOnce(b, s, around, util, dt) {
  if (b.fan !== null) turnFan(b.fan, s, around.fanWorks);
  clockOf(b.throttle, s);
  const leak = b.leakW * Math.exp((Math.min(s.die, 120) - 60) / b.leakC);
  const power = b.idleW * b.idleScale + b.powerW * util * s.clock * s.clock + leak;
  const boost = b.fan === null ? 1 : 1 + b.fan.boost * s.duty;
  const outside = b.cased ? s.case : around.ambientC;
  const toBoard = (s.die - s.board) / b.dieKW;
  const out = conduct(s.board - outside, b.boardKW / boost, b.convection);
  s.die += (dt * (power - toBoard)) / b.dieJK;
  s.board += (dt * (toBoard + (b.cased ? 0 : around.sunW * b.powerW) - out)) / b.boardJK;
  if (b.cased) {
    const away = conduct(
      s.case - around.ambientC,
      b.caseKW / (1 + 0.4 * (boost - 1)),
      b.convection,
    );
    s.case += (dt * (out + around.sunW * b.powerW - away)) / b.caseJK;
  }
}

function conduct(difference, resistance, exponent) {
  if (exponent === 0) return difference / resistance;
  return (difference / resistance) * Math.max(0.1, Math.abs(difference) / 25) ** exponent;
}

function turnFan(fan, s, works) {
  let duty = 0;
  for (const [onC, stepDuty] of fan.steps) {
    if (s.die >= (s.duty >= stepDuty ? onC - fan.hysteresisC : onC)) duty = stepDuty;
  }
  s.duty = works ? duty : 0;
}

function clockOf(t, s) {
  s.soft = s.die >= t.softC || (s.soft && s.die > t.softC - t.hysteresisC);
  s.hard = s.die >= t.hardC || (s.hard && s.die > t.hardC - t.hysteresisC);
  s.clock = s.hard ? t.hardClock : s.soft ? t.softClock : 1;
}

export function flagsOf(board, s) {
  return (s.soft ? board.throttle.flag : 0) | (s.hard ? 0b110 : 0);
}

const V1 = [
  [0.25, 128, 39.5, 13.6],
  [0.25, 160, 42.8, 21.1],
  [0.25, 192, 45.7, 30.2],
  [0.25, 224, 48.2, 41],
  [0.5, 128, 54.9, 49.2],
  [0.5, 160, 57.2, 76.5],
  [0.5, 192, 59.9, 110],
  [0.5, 224, 61.2, 149.5],
  [0.75, 128, 55.9, 106.8],
  [0.75, 160, 62.4, 166.4],
  [0.75, 192, 66.1, 239.3],
  [0.75, 224, 66.9, 325.4],
  [1, 128, 63.3, 186.4],
  [1, 160, 66.9, 290.7],
  [1, 192, 69.1, 418.1],
  [1, 224, 70, 568.7],
];

/** A ladder by cost, the rate asked for, and how much heat each rung really makes per millisecond. */
export function drawLadder(draw, mixes) {
  const kind = draw.pick(['four', 'four', 'all', 'some', 'detector', 'single']);
  let rungs;
  if (kind === 'four') {
    rungs = [
      [0.25, 128, 39.5, 1.14],
      [0.5, 160, 57.2, 2.87],
      [0.75, 192, 66.1, 6],
      [1, 224, 70.8, 11.9],
    ];
  } else if (kind === 'detector') {
    rungs = [
      [null, 140, 15.1, 5.3],
      [null, 172, 17.4, 6.8],
      [null, 236, 20.4, 11.2],
      [null, 300, 22, 17.5],
    ];
  } else {
    const all = V1.map(([alpha, size, top1, m]) => [alpha, size, top1, 30 + m]);
    const some = all.filter(() => draw.chance(0.45));
    rungs = kind === 'all' || some.length === 0 ? all : kind === 'single' ? [draw.pick(all)] : some;
  }
  rungs = rungs.map(([alpha, size, accuracy, cost]) => [
    alpha,
    size,
    accuracy,
    cost * draw.between(0.9, 1.1),
  ]);
  rungs.sort((x, y) => x[3] - y[3]);
  const requestedFps = draw.chance(0.5) ? draw.int(1, 10) : draw.int(8, 30);
  // Load of the top rung at the rate asked for; above 1 the board cannot deliver it.
  const over = draw.chance(mixes ? 0.35 : 0.1);
  const topLoad = over ? draw.between(1, 2.2) : draw.between(0.45, 1);
  const scale = (1000 * topLoad) / requestedFps / rungs[rungs.length - 1][3];
  const ladder = rungs.map(([alpha, size, accuracy, cost]) => ({
    name: `${alpha ?? 'ssd'}_${size}`,
    alpha,
    size,
    accuracy,
    costMs: cost * scale,
  }));
  const wide = draw.chance(0.5) ? 0.15 : 0;
  return { kind, ladder, requestedFps, heat: ladder.map(() => draw.between(1 - wide, 1 + wide)) };
}
