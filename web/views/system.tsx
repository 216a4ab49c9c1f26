import { mayChange, state } from '../api.js';
import { useKept } from '../draft.js';
import { useAnswer } from '../load.js';
import type { Finding, Model, State } from '../types.js';
import { durationOf, sentence, shortName, timeOf, WORDS } from '../words.js';
import { Failure } from './events.js';
import { Notes } from './notes.js';
import { Teach } from './teach.js';
import { Spots } from './wrong.js';

const RANK: Readonly<Record<Finding['level'], number>> = { fail: 0, warn: 1, info: 2, ok: 3 };

export function SystemView() {
  return (
    <div class="grid system">
      <section class="card card-body">
        <h2>{WORDS.system.facts}</h2>
        {state.value !== null && <Facts state={state.value} />}
        {state.value !== null && <Notes state={state.value} />}
      </section>
      <Doctor />
      <Teach />
      <Spots />
      <Models />
      {mayChange() && <Log />}
    </div>
  );
}

function Facts({ state }: { readonly state: State }) {
  const words = WORDS.system;
  const { store, broker } = state;
  const power = state.undervoltage;
  const rows: readonly (readonly [name: string, value: string, isBad?: boolean])[] = [
    [words.version, state.version],
    [words.uptime, durationOf(state.uptime_s)],
    [words.memory, `${Math.round(state.rss_mb)} MB`],
    [words.latency, state.latency_ms === null ? words.unknown : `${state.latency_ms} ms`],
    [
      words.broker,
      `${broker.url} ${broker.connected ? words.connected : words.disconnected}`,
      !broker.connected,
    ],
    [words.outbox, String(state.outbox)],
    [
      words.database,
      store.writable
        ? `${words.size(store.size_mb)}, ${words.writable}`
        : `${words.unwritable}: ${store.error ?? ''}; ${words.waiting(store.waiting)}`,
      !store.writable,
    ],
    [words.disk, store.free_mb === null ? words.unknown : words.gigabytes(store.free_mb)],
    [
      words.power,
      power === null ? words.unknown : power ? words.powerBad : words.powerGood,
      power === true,
    ],
    [words.viewers, String(state.viewers)],
  ];
  return (
    <dl class="facts stacked">
      {rows.map(([name, value, isBad]) => (
        <div key={name} class={isBad === true ? 'bad' : undefined}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Doctor() {
  const { value, error, reload } = useAnswer<readonly Finding[]>('doctor');
  const found = [...(value ?? [])].sort((a, b) => RANK[a.level] - RANK[b.level]);
  const fine = found.filter(({ level }) => level === 'ok');
  const isFine = value !== null && found.every(({ level }) => level === 'ok' || level === 'info');
  return (
    <section class="card card-body">
      <h2>{WORDS.system.doctor}</h2>
      {error !== null && <Failure message={error} onRetry={reload} />}
      {value === null && error === null && <p class="muted">{WORDS.loading}</p>}
      {isFine && <p class="good">{WORDS.system.fine}</p>}
      <Findings found={found.filter(({ level }) => level !== 'ok')} />
      {fine.length > 0 && (
        <details>
          <summary>{WORDS.system.checks(fine.length)}</summary>
          <Findings found={fine} />
        </details>
      )}
    </section>
  );
}

function Findings({ found }: { readonly found: readonly Finding[] }) {
  return (
    <ul class="findings">
      {found.map(({ level, subject, found: text, means, next }) => (
        <li key={`${subject} ${text}`} class={level}>
          <span class="level">{WORDS.system.levels[level]}</span>
          <div>
            <strong>{subject}</strong>: {text}
            {means !== null && <p class="muted">{sentence(means)}</p>}
            {next !== null && <p>→ {next}.</p>}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** By width and size; what has no width by its name. */
function sorted(models: readonly Model[]): readonly Model[] {
  return [...models].sort(
    (a, b) => (a.alpha ?? 0) - (b.alpha ?? 0) || a.size - b.size || a.name.localeCompare(b.name),
  );
}

function Models() {
  const { value } = useAnswer<readonly Model[]>('models', 30_000);
  const words = WORDS.system;
  return (
    <section class="card card-body wide">
      <h2>{words.models}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label={words.models}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.model}</th>
              <th scope="col" class="spare">
                {words.widthAndSize}
              </th>
              <th scope="col">{words.form}</th>
              <th scope="col">{words.measured}</th>
              <th scope="col">{words.accuracy}</th>
            </tr>
          </thead>
          <tbody>
            {sorted(value ?? []).map((model) => (
              <tr key={model.name} class={model.runs ? 'runs' : undefined}>
                <th scope="row">
                  {model.name} {model.runs && <span class="tag">{words.runs}</span>}
                </th>
                <td class="spare">{shortName(model.name)}</td>
                <td>{model.form}</td>
                <td>{model.cost_ms === null ? '–' : `${model.cost_ms.toFixed(1)} ms`}</td>
                <td>{model.accuracy === null ? '–' : `${model.accuracy.toFixed(1)} %`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** A line of JSON as people read it; another one as it is. */
function shownLine(line: string, index: number) {
  const { time, level, msg, camera, part } = fieldsOf(line);
  if (time === undefined || msg === undefined) return <span key={index}>{`${line}\n`}</span>;
  const about = camera ?? part;
  return (
    <span key={index} class={`line ${level}`} title={line}>
      <span class="muted">{timeOf(time)}</span> {about !== undefined && <b>{about} </b>}
      {`${msg}\n`}
    </span>
  );
}

function fieldsOf(line: string): Readonly<Record<string, string>> {
  try {
    return line.startsWith('{') ? JSON.parse(line) : {};
  } catch {
    return {};
  }
}

function logWords(count: number): string {
  return count === 0 ? WORDS.system.logEmpty : WORDS.system.logNone;
}

function Log() {
  const [filter, setFilter] = useKept('filter of the log', '');
  const { value, error, reload } = useAnswer<readonly string[]>('logs?limit=500', 5000);
  const wanted = filter.toLowerCase();
  const lines = (value ?? []).filter((line) => line.toLowerCase().includes(wanted));
  return (
    <section class="card card-body wide">
      <div class="row">
        <h2>{WORDS.system.log}</h2>
        <input
          type="search"
          placeholder={WORDS.system.logFilter}
          aria-label={WORDS.system.logFilter}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      </div>
      {error !== null && value === null ? (
        <Failure message={error} onRetry={reload} />
      ) : (
        <pre class="log" tabIndex={0} role="region" aria-label={WORDS.system.log}>
          {lines.length > 0 && lines.map(shownLine)}
          {value !== null && lines.length === 0 && logWords(value.length)}
        </pre>
      )}
    </section>
  );
}
