import type { SecondNetwork } from '../second-network.js';
import type { MetricFamilies } from './metric-families.js';

/** The second network as Prometheus reads it; its families stay without series while there is none. */
export function readSecond(
  families: MetricFamilies,
  network: () => Pick<SecondNetwork, 'report' | 'load'> | null,
): void {
  const model = ['model'] as const;
  families.gauge(
    'second_working',
    'Whether the second network looks at objects.',
    model,
    (gauge) => {
      const report = network()?.report();
      if (report !== undefined) gauge.set({ model: report.name }, report.state === 'works' ? 1 : 0);
    },
  );
  families.counter(
    'second_runs_total',
    'Objects that the second network looked at, by what came of it.',
    ['model', 'result'],
    (counter) => {
      const report = network()?.report();
      if (report === undefined) return;
      const { name, runs, named, failed } = report;
      counter.inc({ model: name, result: 'named' }, named);
      counter.inc({ model: name, result: 'failed' }, failed);
      counter.inc({ model: name, result: 'unnamed' }, Math.max(0, runs - named));
    },
  );
  families.counter(
    'second_busy_seconds_total',
    'Time that the second network took.',
    model,
    (counter) => {
      const second = network();
      if (second === null) return;
      counter.inc({ model: second.report().name }, second.load().busyMs / 1000);
    },
  );
  families.counter(
    'second_held_frames_total',
    "Frames whose objects waited for the governor's budget.",
    model,
    (counter) => {
      const report = network()?.report();
      if (report !== undefined) counter.inc({ model: report.name }, report.held);
    },
  );
}
