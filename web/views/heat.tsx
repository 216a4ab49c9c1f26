import { useState } from 'preact/hooks';
import { isOverridden, mayChange, post, state } from '../api.js';
import { MixBand } from '../charts/band.js';
import { withGaps } from '../charts/gaps.js';
import { LadderChart } from '../charts/ladder.js';
import { LineChart } from '../charts/line.js';
import { useDraft, useKept } from '../draft.js';
import { useAnswer } from '../load.js';
import type { ForecastPoint, Governor, GovernorState, HistoryPoint, State } from '../types.js';
import { sentence, shortName, WORDS } from '../words.js';
import { aheadOf, TemperatureChart } from './temperature.js';

type Range = keyof typeof WORDS.heat.ranges;
interface History {
  readonly points: readonly HistoryPoint[];
}

export function HeatView() {
  const [range, setRange] = useKept<Range>('heat range', '1h');
  const governor = useAnswer<Governor>('governor', 2000);
  const history = useAnswer<History>(`history?range=${range}`, range === '1h' ? 5000 : 60_000);
  const now = state.value?.governor ?? null;
  const points = withGaps(history.value?.points ?? []);
  const ladder = governor.value?.ladder ?? [];
  const forecast = range === '1h' ? (governor.value?.forecast ?? []) : [];
  const span = spanOf(points, forecast);
  return (
    <div class="heat">
      <section class="card card-body wide">
        <Now now={now} why={governor.value?.state?.reason ?? null} />
      </section>
      <section class="card card-body wide">
        <div class="row">
          <h2>{WORDS.heat.temperature}</h2>
          <div class="segments" role="group" aria-label={WORDS.events.range}>
            {Object.entries(WORDS.heat.ranges).map(([key, name]) => (
              <button
                key={key}
                type="button"
                aria-pressed={range === key}
                onClick={() => setRange(key as Range)}
              >
                {name}
              </button>
            ))}
          </div>
        </div>
        {points.length < 2 ? (
          <p class="muted">{WORDS.heat.noHistory}</p>
        ) : (
          <>
            {points.some(({ temperature }) => temperature !== null) ? (
              <TemperatureChart points={points} forecast={forecast} span={span} />
            ) : (
              <p class="muted">{WORDS.heat.noTemperature}</p>
            )}
            <h3>{WORDS.heat.mix}</h3>
            <MixBand points={points} order={ladder.map(({ name }) => name)} span={span} />
            <Budget points={points} span={span} />
          </>
        )}
      </section>
      <section class="card card-body">
        <h2>{WORDS.heat.ladder}</h2>
        <LadderChart rungs={ladder} />
      </section>
      <Settings />
    </div>
  );
}

/** From the first moment that is known to the last one that is expected: the same in every chart. */
function spanOf(
  points: readonly HistoryPoint[],
  forecast: readonly ForecastPoint[],
): readonly [number, number] {
  const last = (points.at(-1)?.time ?? 0) / 1000;
  return [(points[0]?.time ?? 0) / 1000, last + (aheadOf(points, forecast).at(-1)?.s ?? 0)];
}

function Budget({
  points,
  span,
}: {
  readonly points: readonly HistoryPoint[];
  readonly span: readonly [number, number];
}) {
  if (points.every(({ budget }) => budget === null)) return null;
  return (
    <>
      <h3>{WORDS.heat.budget}</h3>
      <LineChart
        times={points.map(({ time }) => time / 1000)}
        series={[
          {
            name: WORDS.heat.budgetName,
            values: points.map(({ budget }) => budget),
            tone: 'accent',
          },
        ]}
        range={[0, 1]}
        format={(share) => `${Math.round(100 * share)} %`}
        height={130}
        steps={[0.5, 1]}
        span={span}
      />
    </>
  );
}

function Now({
  now,
  why,
}: {
  readonly now: GovernorState | null;
  /** What is said where nothing governs. */
  readonly why: string | null;
}) {
  const temperature = state.value?.temperature ?? null;
  return (
    <div class="now">
      {temperature !== null && (
        <div class="dial">
          <span class="big">{temperature.toFixed(1)}</span>
          <span class="unit">°C</span>
          {now?.headroom != null && (
            <span class="muted">
              {now.headroom.toFixed(1)} °C {WORDS.heat.headroom}
            </span>
          )}
        </div>
      )}
      <p class="why">
        {sentence(now === null ? (why ?? WORDS.heat.noGovernor) : now.reason)}
        {now?.simulated != null && <span class="tag">{WORDS.heat.simulated(now.simulated)}</span>}
      </p>
    </div>
  );
}

function Settings() {
  const [problem, setProblem] = useState<string | null>(null);
  const settings = state.value?.settings;
  if (settings === undefined || !mayChange()) return null;
  const set = (what: string, body: object) => {
    setProblem(null);
    const done = post(`governor/${what}`, body);
    done.catch((error: Error) => setProblem(error.message));
    return done;
  };
  return (
    <section class="card card-body">
      <h2>{WORDS.heat.byHand}</h2>
      <p class="muted">{WORDS.heat.byHandText}</p>
      <Pin settings={settings} set={(variant) => set('pin', { variant })} />
      {settings.limit !== null && (
        <Limit
          inForce={settings.limit}
          set={(limit) => set('limit', { limit })}
          refuse={() => setProblem(WORDS.heat.limitRange(LIMITS[0], LIMITS[1]))}
        />
      )}
      {isOverridden('limit') && (
        <button
          type="button"
          class="quiet small"
          onClick={() => void set('limit', { limit: 'auto' })}
        >
          {WORDS.camera.reset}
        </button>
      )}
      {problem !== null && (
        <p class="problem" role="alert">
          {sentence(problem)}
        </p>
      )}
    </section>
  );
}

function Pin({
  settings: { pin, pinnable },
  set,
}: {
  readonly settings: State['settings'];
  readonly set: (variant: string) => Promise<unknown>;
}) {
  const { shown, keep, settle } = useDraft(pin);
  return (
    <label class="full">
      {WORDS.heat.pin}
      <select
        value={shown}
        onChange={({ currentTarget: { value } }) => {
          keep(value);
          settle(set(value));
        }}
      >
        <option value="auto">{WORDS.heat.auto}</option>
        {pinnable.map((name) => (
          <option key={name} value={name}>
            {shortName(name)} ({name})
          </option>
        ))}
      </select>
    </label>
  );
}

/** Between which a limit makes sense, °C. */
const LIMITS = [40, 85] as const;

function Limit({
  inForce,
  set,
  refuse,
}: {
  /** °C */
  readonly inForce: number;
  readonly set: (limitC: number) => Promise<unknown>;
  /** Says that what was typed is no limit: nothing is set. */
  readonly refuse: () => void;
}) {
  const { shown, keep, drop, settle } = useDraft(inForce);
  const isGood = (input: HTMLInputElement) => input.value !== '' && input.checkValidity();
  return (
    <label>
      {WORDS.heat.limitSet}
      <span class="with-unit">
        <input
          type="number"
          min={LIMITS[0]}
          max={LIMITS[1]}
          step="any"
          value={String(shown)}
          onInput={(event) => keep(event.currentTarget.value)}
          onBlur={(event) => isGood(event.currentTarget) || drop()}
          onChange={({ currentTarget: input }) =>
            isGood(input) ? settle(set(Number(input.value))) : refuse()
          }
        />
        °C
      </span>
    </label>
  );
}
