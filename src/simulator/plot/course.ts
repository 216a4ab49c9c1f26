import type { Scenario } from '../scenarios.js';

/** When something of one kind happens in a scenario. */
export interface Track {
  /** E.g. `sun 2.1 W`. */
  readonly label: string;
  readonly spans: readonly Span[];
}

export interface Span {
  readonly fromS: number;
  readonly untilS: number;
}

/** What happens in a scenario, second by second, as tracks; an uneventful one has none. */
export function courseOf(scenario: Scenario, hasFan: boolean): Track[] {
  const seconds = Array.from({ length: scenario.durationS }, (_, t) => scenario.at(t));
  const usual = scenario.at(0).demand;
  const sun = seconds.map(({ sunW }) => sunW);
  const foreign = seconds.map(({ foreign: share }) => share);
  const demand = seconds.map((c) => c.demand / usual);
  const mostSun = Math.max(...sun);
  const mostForeign = Math.max(...foreign);
  const tracks = [
    track(sun, (watts) => watts > 0.05 * mostSun, `sun, ${upTo(sun)}${mostSun.toFixed(1)} W`),
    track(foreign, (share) => share > 0.1, `others ${(100 * mostForeign).toFixed(0)} % CPU`),
    track(demand, (part) => part < 0.99, 'fewer frames asked'),
    track(demand, (part) => part > 1.01, 'more frames asked'),
    track(
      seconds.map(({ fanWorks }) => (fanWorks || !hasFan ? 0 : 1)),
      (broken) => broken > 0,
      'fan broken',
    ),
    ...scenario.faults.map(({ kind, fromS, untilS }) => ({
      label: `sensor ${kind}`,
      spans: [{ fromS, untilS }],
    })),
  ];
  return tracks.filter(({ spans }) => spans.length > 0);
}

function upTo(values: readonly number[]): string {
  const on = values.filter((value) => value > 0.01);
  return on.some((value) => Math.abs(value - (on[0] ?? 0)) > 1e-9) ? 'up to ' : '';
}

function track(
  values: readonly number[],
  happens: (value: number) => boolean,
  label: string,
): Track {
  const spans: Span[] = [];
  let since: number | null = null;
  for (let t = 0; t <= values.length; t += 1) {
    const on = t < values.length && happens(values[t] ?? 0);
    if (on && since === null) since = t;
    if (!on && since !== null) {
      spans.push({ fromS: since, untilS: t });
      since = null;
    }
  }
  return { label, spans };
}
