import { type Axis, tickText, timeText, upward } from './axis.js';
import { area, type Colour, type Corner, line, segment, text } from './svg.js';

/** The page's columns, pixels. */
export const WIDTH = 920;
export const LEFT = 132;
export const RIGHT = 872;
/** From the end of one panel to the beginning of the next one. */
const BELOW = 34;

export interface Line {
  readonly name: string;
  readonly colour: Colour;
  /** One value a bin; null where there is none. */
  readonly values: readonly (number | null)[];
  /** Of the same length: the area from these to the values is shaded. */
  readonly down?: readonly number[];
  readonly style?: 'bold' | 'dashed' | 'dotted';
  readonly steps?: boolean;
}

/** A level line with its value beside it. */
export interface Mark {
  readonly value: number;
  readonly label: string;
  readonly strict: boolean;
}

export interface Panel {
  readonly title: string;
  readonly height: number;
  readonly low: number;
  readonly high: number;
  readonly lines: readonly Line[];
  readonly marks?: readonly Mark[];
  /** Names instead of numbers, by value. */
  readonly names?: readonly { readonly value: number; readonly name: string }[];
}

/** A panel's height with its title and what lies below it, pixels. */
export function panelHeight(panel: Panel): number {
  return panel.height + BELOW;
}

/** Draws a panel whose frame begins at `top`; `x` has the times, `times` those of the bins. */
export function drawPanel(panel: Panel, top: number, x: Axis, times: readonly number[]): string[] {
  const bottom = top + panel.height;
  const axis = upward(
    panel.low,
    panel.high,
    top,
    bottom,
    Math.max(3, Math.floor(panel.height / 28)),
  );
  return [
    text(LEFT, top - 7, panel.title),
    ...legend(panel.lines, top - 7),
    ...timeGrid(x, top, bottom),
    ...levels(panel, axis),
    ...panel.lines.flatMap((each) => drawLine(each, axis, x, times)),
    ...(panel.marks ?? []).map(({ value, strict }) =>
      segment([LEFT, axis.at(value)], [RIGHT, axis.at(value)], strict ? 'limit' : 'limit dashed'),
    ),
    `<path d="M${LEFT} ${top}V${bottom}H${RIGHT}" class="frame"/>`,
  ];
}

/** Times below the last panel. */
export function timeLabels(x: Axis, bottom: number): string[] {
  return x.ticks.map((t) => text(x.at(t), bottom + 16, timeText(t, x.high), 'pale middle'));
}

function timeGrid(x: Axis, top: number, bottom: number): string[] {
  const path = x.ticks.map((t) => `M${Math.round(x.at(t))} ${top}V${bottom}`).join('');
  return [`<path d="${path}" class="grid"/>`];
}

function levels(panel: Panel, axis: Axis): string[] {
  const marks = panel.marks ?? [];
  const clear = (y: number) => marks.every((mark) => Math.abs(axis.at(mark.value) - y) > 12);
  const named = panel.names?.map(({ value, name }) => ({ y: axis.at(value), label: name }));
  const numbered = axis.ticks.map((value) => ({
    y: axis.at(value),
    label: tickText(value, axis.ticks),
  }));
  return [
    ...(named ?? numbered).flatMap(({ y, label }) => [
      segment([LEFT, y], [RIGHT, y], 'grid'),
      ...(clear(y) ? [text(LEFT - 8, y + 4, label, 'pale end')] : []),
    ]),
    ...markLabels(marks, axis),
  ];
}

/** From above downwards, each clear of the one before. */
function markLabels(marks: readonly Mark[], axis: Axis): string[] {
  let lowest = Number.NEGATIVE_INFINITY;
  return [...marks]
    .sort((a, b) => b.value - a.value)
    .map(({ value, label }, i) => {
      const near = i === 0 && marks.length > 1 ? 2 : 0;
      lowest = Math.max(axis.at(value) + 4 - near, lowest + 13);
      return text(LEFT - 8, lowest, label, 'limit-text end');
    });
}

function drawLine(each: Line, axis: Axis, x: Axis, times: readonly number[]): string[] {
  const corners = (values: readonly (number | null)[]): Corner[] =>
    values.map((value, i) => ({
      x: x.at(times[i] ?? 0),
      y: value === null ? null : axis.at(value),
    }));
  const over = corners(each.values);
  const { down, colour, steps, style = '' } = each;
  const shaded = down === undefined ? [] : [area(corners(down), over, `${colour}-fill`, steps)];
  return [...shaded, line(over, `${colour} ${style}`.trim(), steps)];
}

/** The names of the lines, from the right edge leftwards. */
function legend(lines: readonly Line[], y: number): string[] {
  let right = RIGHT;
  return [...lines].reverse().flatMap(({ name, colour, style = '' }) => {
    if (name === '') return [];
    const parts = [
      text(right, y, name, 'end'),
      segment(
        [right - textWidth(name) - 26, y - 4],
        [right - textWidth(name) - 6, y - 4],
        `line ${colour} ${style}`.trim(),
      ),
    ];
    right -= textWidth(name) + 44;
    return parts;
  });
}

/** About how wide a text is, pixels; what is drawn beside it keeps clear of it. */
export function textWidth(value: string): number {
  return 8 + value.length * 7;
}
