import { existsSync } from 'node:fs';
import type { Config } from '../config/config.js';
import type { App } from '../daemon/app.js';
import type { Result } from '../inference/result.js';
import { eventPayload } from '../mqtt/publish/payloads.js';
import { PACKAGE_ROOT } from '../package-root.js';
import type { PresenceEvent } from '../presence/event.js';
import type { DemoLines } from './demo-lines.js';
import { writeJsonLine } from './output.js';

/** What the demo says on standard output. */
export interface Printer {
  ready(daemon: App, config: Config): void;
  events(events: readonly PresenceEvent[], result: Result | null): void;
  /** What the governor decided; `simulated` is the board that is not real. */
  decision(reason: string, simulated: string | null): void;
}

/** Holds back what happens before the demo is ready: its addresses are the first thing that is printed. */
export function readyFirst(printer: Printer): Printer {
  let held: (() => void)[] | null = [];
  const later = (print: () => void) => {
    if (held === null) print();
    else held.push(print);
  };
  return {
    ready(daemon, config) {
      printer.ready(daemon, config);
      for (const print of held ?? []) print();
      held = null;
    },
    events: (events, result) => later(() => printer.events(events, result)),
    decision: (reason, simulated) => later(() => printer.decision(reason, simulated)),
  };
}

/** One JSON object a line. */
export function jsonPrinter(stdout: NodeJS.WritableStream): Printer {
  return {
    ready: (daemon, config) =>
      writeJsonLine(stdout, {
        ready: true,
        mqtt: daemon.broker,
        base: daemon.topic,
        page: daemon.page,
        state: config.state_dir,
        model: daemon.model,
      }),
    events: (events) => {
      for (const event of events) writeJsonLine(stdout, eventPayload(event));
    },
    // A line of standard output is an event; decisions are on MQTT.
    decision: () => {},
  };
}

/** Whether this program runs from its source rather than from a package. */
function isCheckout(): boolean {
  return existsSync(`${PACKAGE_ROOT}src`);
}

/** For people. */
export function textPrinter(lines: DemoLines): Printer {
  return {
    ready: (daemon, config) => {
      lines.plain(`model   ${daemon.model}`);
      lines.plain(`mqtt    ${daemon.broker}   (topics ${daemon.topic}/#)`);
      if (daemon.page !== null) lines.plain(`page    ${daemon.page}`);
      const program = isCheckout() ? 'npx mobilenetd' : 'mobilenetd';
      lines.plain(`query   MOBILENETD_STATE=${config.state_dir} ${program} query`);
      lines.plain('stop    Ctrl-C');
      lines.plain();
    },
    events: (events, result) => {
      for (const event of events) {
        if (event.type === 'update') continue;
        const score = event.score.toFixed(2);
        const ms = result === null ? '' : `  ${result.timings.inference.toFixed(1)} ms`;
        const what = `${event.label.padEnd(16)} ${score}`;
        if (event.type === 'new') lines.say('+', `${what}  ${event.size} px${ms}`);
        else lines.say('-', `${what}  best in ${seconds(event)} s`);
      }
    },
    decision: (reason, simulated) => {
      const board = simulated === null ? '' : `simulated ${simulated}: `;
      lines.say('~', `${board}${reason}`);
    },
  };
}

function seconds(event: PresenceEvent): string {
  return (((event.end ?? event.start) - event.start) / 1000).toFixed(1);
}
