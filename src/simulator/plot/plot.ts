import type { Rung } from '../../thermal/sample.js';
import type { Board } from '../boards.js';
import type { Point } from '../run.js';
import type { Scenario } from '../scenarios.js';
import { scoreRun } from '../score.js';
import { type Axis, rightward } from './axis.js';
import { type Bin, binned } from './bins.js';
import { courseOf, type Track } from './course.js';
import {
  drawPanel,
  LEFT,
  type Line,
  type Panel,
  panelHeight,
  RIGHT,
  timeLabels,
  WIDTH,
} from './panel.js';
import { COLOURS, type Colour, escapeXml, STYLE, segment, text } from './svg.js';

/** Places across the picture, of one run and of several: what flutters would hide the others. */
const BINS = { alone: 370, together: 120 };
const ROW = 18;
/** As many beginnings and ends of events are also drawn through the panels. */
const MOST_EDGES = 8;

export interface PlotRequest {
  readonly board: Board;
  readonly ladder: readonly Rung[];
  readonly scenario: Scenario;
  readonly marginC: number;
  /** One run, or several of the same scenario that are drawn over each other; at most five. */
  readonly runs: readonly Run[];
}

export interface Run {
  readonly governor: string;
  readonly points: readonly Point[];
}

interface Drawn {
  readonly governor: string;
  readonly colour: Colour;
  readonly bins: readonly Bin[];
  /** E.g. `quality 64.4, 0 s at the limit, peak 1.7 °C below it`. */
  readonly score: string;
}

/**
 * A picture of runs as a standalone SVG that follows a light or dark theme: what happened, the die's
 * temperature with limit and goal, what was allowed, the rungs by name, the frames. The corner has
 * each run's quality and its seconds at the limit.
 */
export function plotRuns(request: PlotRequest): string {
  const { board, scenario, runs } = request;
  const drawn = runs.map((run, i) => draw(run, COLOURS[i % COLOURS.length] ?? 'a', request));
  const times = drawn[0]?.bins.map(({ timeS }) => timeS) ?? [];
  const x = rightward(0, scenario.durationS, LEFT, RIGHT);
  const tracks = courseOf(scenario, board.plant.fan !== null);
  const title = `${board.description} · ${scenario.name}${drawn.length === 1 ? ` · ${drawn[0]?.governor}` : ''}`;
  const body = [text(16, 26, title, 'title'), ...corner(drawn, request)];
  let top = 40 + ROW * Math.max(2, drawn.length) + 8;
  body.push(...drawTracks(tracks, x, top));
  top += ROW * tracks.length + (tracks.length > 0 ? 8 : 0);
  const firstTop = top + 20;
  for (const panel of panelsOf(request, drawn)) {
    body.push(...drawPanel(panel, top + 20, x, times));
    top += panelHeight(panel);
  }
  const bottom = top + 20 - 34;
  body.push(...edges(tracks, x, firstTop, bottom), ...timeLabels(x, bottom));
  const height = bottom + 28;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escapeXml(title)} (simulated)</title>`,
    `<desc>${escapeXml(drawn.map((d) => `${d.governor}: ${d.score}`).join('. '))}</desc>`,
    STYLE,
    `<rect width="${WIDTH}" height="${height}" class="ground"/>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function draw(run: Run, colour: Colour, { board: { limitC }, runs }: PlotRequest): Drawn {
  const { quality, secondsAtLimit, peakC } = scoreRun(run.points, limitC);
  const peak = `${Math.abs(peakC).toFixed(1)} °C ${peakC < 0 ? 'below' : 'above'} it`;
  return {
    governor: run.governor,
    colour,
    bins: binned(run.points, runs.length === 1 ? BINS.alone : BINS.together),
    score: `quality ${quality.toFixed(1)} %, ${secondsAtLimit} s at the limit, peak ${peak}`,
  };
}

/** Below the title: on the left what the picture is, on the right how the runs did. */
function corner(drawn: readonly Drawn[], { board, scenario, marginC }: PlotRequest): string[] {
  const start =
    scenario.startUtil > 0 ? `, after a load of ${(100 * scenario.startUtil).toFixed(0)} %` : '';
  const about = [
    `simulated${start}; limit ${board.limitC} °C, goal ${marginC} °C below it`,
    'quality: accuracy of the frames asked for',
  ];
  return [
    ...about.map((value, i) => text(16, 50 + i * ROW, value, 'pale')),
    ...drawn.flatMap(({ governor, colour, score }, i) => {
      const y = 50 + i * ROW;
      if (drawn.length === 1) return [text(RIGHT, y, score, 'end')];
      return [
        segment([400, y - 4], [426, y - 4], `line ${colour} ${styleOf(i)}`),
        text(434, y, governor),
        text(RIGHT, y, score, 'end'),
      ];
    }),
  ];
}

/** The first run is ours as a rule; colour alone must not tell the others apart. */
function styleOf(index: number): 'bold' | 'dashed' | 'dotted' {
  return index === 0 ? 'bold' : index % 2 === 1 ? 'dashed' : 'dotted';
}

function drawTracks(tracks: readonly Track[], x: Axis, top: number): string[] {
  return tracks.flatMap(({ label, spans }, row) => {
    const y = top + row * ROW;
    const bars = spans.map(({ fromS, untilS }) => {
      const width = Math.max(1, x.at(untilS) - x.at(fromS));
      return `M${x.at(fromS).toFixed(1)} ${y + 2}h${width.toFixed(1)}v12h-${width.toFixed(1)}z`;
    });
    return [
      text(LEFT - 8, y + 12, label, 'pale end'),
      `<path d="${bars.join('')}" class="b-fill" fill-opacity=".7"/>`,
    ];
  });
}

function edges(tracks: readonly Track[], x: Axis, top: number, bottom: number): string[] {
  const times = tracks.flatMap(({ spans }) =>
    spans.flatMap(({ fromS, untilS }) => [fromS, untilS]),
  );
  const inside = [...new Set(times)].filter((t) => t > 0 && t < x.high);
  if (inside.length > MOST_EDGES) return [];
  return inside.map((t) => segment([x.at(t), top], [x.at(t), bottom], 'line b dotted'));
}

function panelsOf(request: PlotRequest, drawn: readonly Drawn[]): Panel[] {
  const [only] = drawn;
  const rest =
    drawn.length === 1 && only !== undefined ? alone(request, only) : together(request, drawn);
  return [...room(drawn), heat(request, drawn), ...rest, frames(drawn)];
}

/** Only where the room's temperature changes. */
function room(drawn: readonly Drawn[]): Panel[] {
  const values = drawn[0]?.bins.map(({ ambientC }) => ambientC) ?? [];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (high - low < 0.5) return [];
  const lines: Line[] = [{ name: '', colour: 'c', values, style: 'bold' }];
  return [
    { title: 'room, °C', height: 56, low: Math.floor(low - 1), high: Math.ceil(high + 1), lines },
  ];
}

function heat({ board, marginC, scenario }: PlotRequest, drawn: readonly Drawn[]): Panel {
  const { limitC } = board;
  const goal = limitC - marginC;
  const lines: Line[] = drawn.map(({ colour, bins }, i) => ({
    name: drawn.length === 1 ? 'die' : '',
    colour,
    values: bins.map(({ hottestC }) => hottestC),
    down: bins.map(({ coolestC }) => coolestC),
    style: drawn.length === 1 ? 'bold' : styleOf(i),
  }));
  const [only] = drawn;
  if (drawn.length === 1 && only !== undefined && scenario.faults.length > 0) {
    lines.unshift({
      name: 'sensor',
      colour: 'e',
      values: only.bins.map((bin) => bin.readingC),
      style: 'dotted',
    });
  }
  const all = drawn.flatMap(({ bins }) => bins);
  const low = Math.min(...all.map(({ coolestC }) => coolestC), goal - 5);
  const high = Math.max(...all.map(({ hottestC }) => hottestC), limitC + 1);
  return {
    title: 'die, °C (each place from its coolest to its hottest moment)',
    height: 190,
    low: Math.floor(low - 1),
    high: Math.ceil(high + 0.5),
    lines,
    marks: [
      { value: limitC, label: `limit ${limitC}`, strict: true },
      { value: goal, label: `goal ${goal}`, strict: false },
    ],
  };
}

/** One governor: what it allows beside what others take, and its rungs by name. */
function alone({ ladder }: PlotRequest, run: Drawn): Panel[] {
  const { bins, colour } = run;
  const percent = (of: (bin: Bin) => number) => bins.map((bin) => 100 * of(bin));
  const used = ladder.flatMap((rung, index) =>
    bins.some(({ low, high }) => low === index || high === index) ? [{ rung, index }] : [],
  );
  const place = (rung: number) =>
    placeOf(
      used.map(({ index }) => index),
      rung,
    );
  return [
    {
      title: '% of each second',
      height: 84,
      low: 0,
      high: Math.max(100, ...percent((bin) => bin.budget)),
      lines: [
        { name: 'inference may take', colour, values: percent((bin) => bin.budget) },
        {
          name: 'other programs',
          colour: 'b',
          values: percent((bin) => bin.foreign),
          style: 'dashed',
        },
      ],
    },
    {
      title: 'rung: α/pixels (shaded: the two that are mixed)',
      height: Math.min(190, Math.max(60, used.length * 20)),
      low: -0.4,
      high: used.length - 0.6,
      names: used.map(({ rung }, i) => ({ value: i, name: rungName(rung) })),
      lines: [
        {
          name: '',
          colour,
          values: bins.map(({ high }) => place(high)),
          down: bins.map(({ low }) => place(low)),
          style: 'dotted',
          steps: true,
        },
        { name: 'mean', colour, values: bins.map(({ rung }) => place(rung)), style: 'bold' },
      ],
    },
  ];
}

/** Where a rung lies among those in use; one between two lies between them. */
function placeOf(used: readonly number[], rung: number): number {
  const above = used.findIndex((index) => index >= rung);
  if (above <= 0) return above < 0 ? used.length - 1 : 0;
  const [low, high] = [used[above - 1] ?? 0, used[above] ?? 0];
  return above - 1 + (rung - low) / Math.max(1e-9, high - low);
}

/** Several governors: what each second was worth. */
function together({ ladder }: PlotRequest, drawn: readonly Drawn[]): Panel[] {
  const lines: Line[] = drawn.map(({ colour, bins }, i) => ({
    name: '',
    colour,
    values: bins.map(({ quality }) => quality),
    style: styleOf(i),
  }));
  const step = (drawn[0]?.bins[1]?.timeS ?? 1) - (drawn[0]?.bins[0]?.timeS ?? 0);
  const all = lines.flatMap(({ values }) => values.filter((value) => value !== null));
  const best = Math.max(...ladder.map(({ accuracy }) => accuracy));
  const low = Math.max(0, Math.min(...all) - 2);
  return [
    {
      title: `quality, % (means of ${step} s)`,
      height: 190,
      low: Math.floor(low),
      high: Math.ceil(best + 1),
      lines,
    },
  ];
}

function frames(drawn: readonly Drawn[]): Panel {
  const asked = drawn[0]?.bins.map(({ requestedFps }) => requestedFps) ?? [];
  const lines: Line[] = drawn.map(({ colour, bins }, i) => ({
    name: drawn.length === 1 ? 'delivered' : '',
    colour,
    values: bins.map(({ deliveredFps }) => deliveredFps),
    style: drawn.length === 1 ? 'bold' : styleOf(i),
  }));
  return {
    title: 'frames a second',
    height: 84,
    low: 0,
    high: Math.max(...asked) * 1.1,
    lines: [{ name: 'asked for', colour: 'e', values: asked, style: 'dashed' }, ...lines],
  };
}

function rungName(rung: Rung): string {
  return rung.alpha === null ? rung.name : `${rung.alpha}/${rung.size}`;
}
