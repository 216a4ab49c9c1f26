import { useState } from 'preact/hooks';
import { isOverridden, mayChange, post, state } from '../api.js';
import { MixBand } from '../charts/band.js';
import { withGaps } from '../charts/gaps.js';
import { LadderChart } from '../charts/ladder.js';
import { LineChart } from '../charts/line.js';
import { useDraft } from '../draft.js';
import { useAnswer } from '../load.js';
import type { Governor, GovernorState, HistoryPoint } from '../types.js';
import { shortName, WORDS } from '../words.js';
import { TemperatureChart } from './temperature.js';

type Range = keyof typeof WORDS.heat.ranges;
interface History {
  readonly points: readonly HistoryPoint[];
}

export function HeatView() {
  const [range, setRange] = useState<Range>('1h');
  const governor = useAnswer<Governor>('governor', 2000);
  const history = useAnswer<History>(`history?range=${range}`, range === '1h' ? 5000 : 60_000);
  const now = state.value?.governor ?? null;
  const points = withGaps(history.value?.points ?? []);
  const ladder = governor.value?.ladder ?? [];
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
              <TemperatureChart
                points={points}
                forecast={range === '1h' ? (governor.value?.forecast ?? []) : []}
              />
            ) : (
              <p class="muted">{WORDS.heat.noTemperature}</p>
            )}
            <h3>{WORDS.heat.mix}</h3>
            <MixBand points={points} order={ladder.map(({ name }) => name)} />
            <Budget points={points} />
          </>
        )}
      </section>
      <section class="card card-body">
        <h2>{WORDS.heat.ladder}</h2>
        <p class="muted">{WORDS.heat.ladderText}</p>
        <LadderChart rungs={ladder} />
      </section>
      <Settings />
    </div>
  );
}

function Budget({ points }: { readonly points: readonly HistoryPoint[] }) {
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
        height={140}
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
      <div class="dial">
        <span class="big">{temperature === null ? '–' : temperature.toFixed(1)}</span>
        <span class="unit">°C</span>
        {now?.headroom != null && (
          <span class="muted">
            {now.headroom.toFixed(1)} °C {WORDS.heat.headroom}
          </span>
        )}
      </div>
      <p class="why">
        {now === null ? (why ?? WORDS.heat.noGovernor) : now.reason}
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
    post(`governor/${what}`, body).catch((error: Error) => setProblem(error.message));
  };
  return (
    <section class="card card-body">
      <h2>{WORDS.heat.byHand}</h2>
      <p class="muted">{WORDS.heat.byHandText}</p>
      <label class="full">
        {WORDS.heat.pin}
        <select
          value={settings.pin}
          onChange={(event) => set('pin', { variant: event.currentTarget.value })}
        >
          <option value="auto">{WORDS.heat.auto}</option>
          {settings.pinnable.map((name) => (
            <option key={name} value={name}>
              {shortName(name)} ({name})
            </option>
          ))}
        </select>
      </label>
      {settings.limit !== null && (
        <Limit inForce={settings.limit} set={(limit) => set('limit', { limit })} />
      )}
      {isOverridden('limit') && (
        <button type="button" class="quiet small" onClick={() => set('limit', { limit: 'auto' })}>
          {WORDS.camera.reset}
        </button>
      )}
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}

function Limit({
  inForce,
  set,
}: {
  /** °C */
  readonly inForce: number;
  readonly set: (limitC: number) => void;
}) {
  const { shown, onInput, onBlur } = useDraft(inForce);
  return (
    <label>
      {WORDS.heat.limitSet}
      <span class="with-unit">
        <input
          type="number"
          min="40"
          max="85"
          step="1"
          value={shown}
          onInput={onInput}
          onBlur={onBlur}
          onChange={(event) => set(Number(event.currentTarget.value))}
        />
        °C
      </span>
    </label>
  );
}
