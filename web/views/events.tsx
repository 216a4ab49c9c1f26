import { useState } from 'preact/hooks';
import { fresh, state } from '../api.js';
import { useKept } from '../draft.js';
import { useAnswer } from '../load.js';
import type { Camera, EventRow } from '../types.js';
import { dayOf, durationOf, sentence, timeOf, WORDS } from '../words.js';
import { percent } from './picture.js';

type Range = keyof typeof WORDS.events.ranges;

const DAYS: Readonly<Record<Range, number | null>> = { day: 1, week: 7, any: null };
const PAGE = 50;

export function EventsView() {
  const [camera, setCamera] = useKept('events camera', '');
  const [label, setLabel] = useKept('events label', '');
  const [zone, setZone] = useKept('events zone', '');
  const [range, setRange] = useKept<Range>('events range', 'week');
  const [limit, setLimit] = useKept('events limit', PAGE);
  // Of the day: the same question for a minute, so that it is asked once.
  const [now] = useState(() => Date.now());
  const filters = filterOf({ camera, label, zone }, range, now);
  const { value, error, reload } = useAnswer<readonly EventRow[]>(
    `events?${filters}&limit=${limit}`,
    30_000,
  );
  const events = merged(value ?? [], { camera, label, zone });
  const zones = zonesOf(state.value?.cameras ?? [], events);
  const seen = useLabelsSeen(events);
  const isFiltered = `${camera}${label}${zone}` !== '' || range !== 'week';
  return (
    <>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice
          name={WORDS.events.camera}
          value={camera}
          options={(state.value?.cameras ?? []).map(({ name, title }) => [name, title])}
          onChange={setCamera}
        />
        <label>
          {WORDS.events.label}
          <input
            value={label}
            list="seen"
            placeholder={WORDS.events.all}
            onInput={(event) => setLabel(event.currentTarget.value)}
          />
          <datalist id="seen">
            {seen.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </label>
        {(zones.length > 0 || zone !== '') && (
          <Choice name={WORDS.events.zone} value={zone} options={zones} onChange={setZone} />
        )}
        <label>
          {WORDS.events.range}
          <select value={range} onChange={(event) => setRange(event.currentTarget.value as Range)}>
            {Object.entries(WORDS.events.ranges).map(([key, name]) => (
              <option key={key} value={key}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <a class="button quiet" href={`api/v1/events.csv?${filters}`} download="events.csv">
          {WORDS.events.csv}
        </a>
      </form>
      {error !== null && value === null ? (
        <Failure message={error} onRetry={reload} />
      ) : value === null ? (
        <p class="empty">{WORDS.loading}</p>
      ) : events.length === 0 ? (
        <section class="empty">
          <h2>{isFiltered ? WORDS.events.noneFits : WORDS.events.none}</h2>
          <p>{isFiltered ? WORDS.events.noneFitsText : WORDS.events.noneText}</p>
        </section>
      ) : (
        <Timeline events={events} />
      )}
      {value !== null && value.length >= limit && limit < 500 && (
        <button
          class="quiet more"
          type="button"
          onClick={() => setLimit(Math.min(500, limit + PAGE))}
        >
          {WORDS.events.more}
        </button>
      )}
    </>
  );
}

/** What is asked for; empty: all. */
interface Filter {
  readonly camera: string;
  readonly label: string;
  readonly zone: string;
}

/** Zones there are, and of which events tell, with what people call them. */
function zonesOf(
  cameras: readonly Camera[],
  events: readonly EventRow[],
): readonly (readonly [name: string, title: string])[] {
  const told = events.flatMap((event) => event.zones).map((name) => [name, name] as const);
  const drawn = cameras.flatMap(({ areas }) =>
    areas.flatMap(({ kind, name, title }) => (kind === 'zone' ? [[name, title] as const] : [])),
  );
  return [...new Map([...told, ...drawn])].sort(([, a], [, b]) => a.localeCompare(b));
}

/** Labels of events and cameras that this visit has seen: what a filter keeps out stays in its list. */
function useLabelsSeen(events: readonly EventRow[]): readonly string[] {
  const [known] = useKept('labels seen', new Set<string>());
  for (const { label } of events) known.add(label);
  for (const { present } of state.value?.cameras ?? []) {
    for (const { label } of present) known.add(label);
  }
  return [...known].sort();
}

function fits(event: EventRow, { camera, label, zone }: Filter): boolean {
  return (
    (camera === '' || event.camera === camera) &&
    (label === '' || event.label === label) &&
    (zone === '' || event.zones.includes(zone))
  );
}

/** What the stream has told since the list was asked for goes before it. */
function merged(rows: readonly EventRow[], filter: Filter): readonly EventRow[] {
  const byId = new Map<string, EventRow>(rows.map((event) => [event.id, event]));
  for (const event of fresh.value) {
    const row = byId.get(event.id);
    // The list may be the newer one: while the tab was hidden nothing was told.
    if (!fits(event, filter) || (row !== undefined && row.end !== null)) continue;
    // An event is told before its picture is on the disk.
    byId.set(event.id, { ...event, picture: event.picture || row?.picture === true });
  }
  return [...byId.values()].sort((a, b) => Date.parse(b.start) - Date.parse(a.start));
}

function filterOf(filter: Filter, range: Range, now: number): string {
  const days = DAYS[range];
  const parts = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== ''));
  if (days !== null) parts.set('since', new Date(now - days * 86_400_000).toISOString());
  return parts.toString();
}

function Choice({
  name,
  value,
  options,
  onChange,
}: {
  readonly name: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly onChange: (value: string) => void;
}) {
  return (
    <label>
      {name}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{WORDS.events.all}</option>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Timeline({ events }: { readonly events: readonly EventRow[] }) {
  const days = new Map<string, EventRow[]>();
  for (const event of events) {
    const day = dayOf(event.start);
    days.set(day, [...(days.get(day) ?? []), event]);
  }
  return (
    <>
      {[...days].map(([day, rows]) => (
        <section key={day} class="day">
          <h2>{day}</h2>
          <ul class="timeline">
            {rows.map((event) => (
              <EventItem key={event.id} event={event} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function EventItem({ event }: { readonly event: EventRow }) {
  const title = state.value?.cameras.find(({ name }) => name === event.camera)?.title;
  const lasted =
    event.end === null ? null : (Date.parse(event.end) - Date.parse(event.start)) / 1000;
  return (
    <li>
      <a class="card event" href={`#/events/${encodeURIComponent(event.id)}`}>
        <Thumbnail event={event} />
        <span class="event-text">
          <strong>
            {event.label}
            {event.sub_label !== null && `: ${event.sub_label}`}
          </strong>
          <span class="muted">
            {title ?? event.camera} · {timeOf(event.start)}
          </span>
          <span class="muted">
            {lasted === null ? <em class="live">{WORDS.events.now}</em> : durationOf(lasted)} ·{' '}
            {percent(event.score)}
          </span>
        </span>
      </a>
    </li>
  );
}

function Thumbnail({ event }: { readonly event: EventRow }) {
  const [isMissing, setMissing] = useState(false);
  if (isMissing || event.picture === false) {
    return (
      <span class="thumb none" aria-hidden="true">
        {event.label.slice(0, 1).toUpperCase()}
      </span>
    );
  }
  return (
    <img
      class="thumb"
      loading="lazy"
      alt=""
      src={`api/v1/events/${encodeURIComponent(event.id)}/thumb.jpg`}
      onError={() => setMissing(true)}
    />
  );
}

export function Failure({
  message,
  onRetry,
}: {
  readonly message: string;
  readonly onRetry: () => void;
}) {
  return (
    <section class="empty" role="alert">
      <p>{sentence(message)}</p>
      <button type="button" onClick={onRetry}>
        {WORDS.retry}
      </button>
    </section>
  );
}
