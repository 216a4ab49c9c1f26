import { useState } from 'preact/hooks';
import { drop, mayChange, post, state } from '../api.js';
import { LineChart } from '../charts/line.js';
import { useAnswer } from '../load.js';
import type { EventDocument, EventRow } from '../types.js';
import { dayOf, durationOf, sentence, shortName, timeOf, WORDS } from '../words.js';
import { Overlay, percent } from './picture.js';
import { Wrong } from './wrong.js';

export function EventView({ id }: { readonly id: string }) {
  const { value, error } = useAnswer<EventDocument>(`events/${encodeURIComponent(id)}`, 10_000);
  return (
    <>
      <p>
        <a href="#/events">← {WORDS.events.back}</a>
      </p>
      {value === null ? (
        <p class="empty">{error === null ? WORDS.loading : WORDS.events.missing}</p>
      ) : (
        <EventPage document={value} />
      )}
    </>
  );
}

function EventPage({ document: { event, scores } }: { readonly document: EventDocument }) {
  const title =
    state.value?.cameras.find(({ name }) => name === event.camera)?.title ?? event.camera;
  return (
    <article class="event-page">
      <div class="card">
        <EventPicture event={event} scores={scores} />
      </div>
      <div class="card card-body facts-card">
        <h2>
          {event.label} <span class="muted">· {title}</span>
        </h2>
        <p>
          {dayOf(event.start)}, {timeOf(event.start)}
        </p>
        <dl class="facts">
          <Fact name={WORDS.events.score} value={percent(event.score)} />
          <Fact name={WORDS.events.lasted} value={lasted(event)} />
          <Fact name={WORDS.events.count} value={String(event.count)} />
          <Fact name={WORDS.events.model} value={shortName(event.model)} />
          {event.zones.length > 0 && (
            <Fact name={WORDS.events.zones} value={event.zones.map(zoneOf(event)).join(', ')} />
          )}
          {event.sub_label !== null && <Fact name={WORDS.events.exactly} value={exactly(event)} />}
          {event.object !== null && <Fact name={WORDS.events.object} value={objectOf(event)} />}
        </dl>
        {mayChange() && <Wrong event={event} />}
        {mayChange() && event.end !== null && <Forget event={event} />}
      </div>
      {scores.length > 1 && (
        <div class="card card-body scores">
          <h3>{WORDS.events.scores}</h3>
          <LineChart
            times={scores.map(({ time }) => Date.parse(time) / 1000)}
            series={[
              {
                name: WORDS.events.score,
                values: scores.map(({ score }) => score),
                tone: 'accent',
              },
            ]}
            range={[0, 1]}
            format={percent}
            steps={[0.25, 0.5, 1]}
            height={180}
          />
        </div>
      )}
    </article>
  );
}

function EventPicture({ event, scores }: EventDocument) {
  const [size, setSize] = useState<readonly [number, number] | null>(null);
  const [isMissing, setMissing] = useState(event.picture === false);
  const frame = state.value?.cameras.find(({ name }) => name === event.camera)?.size ?? size;
  return (
    <figure class="picture">
      {isMissing ? (
        <p class="placeholder">{WORDS.events.noPicture}</p>
      ) : (
        <img
          alt={`${event.label}, ${timeOf(event.start)}`}
          src={`api/v1/events/${encodeURIComponent(event.id)}/picture.jpg`}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setSize([naturalWidth, naturalHeight])
          }
          onError={() => setMissing(true)}
        />
      )}
      {!isMissing && frame !== null && event.box !== null && (
        <Overlay size={frame} labels={[event]} areas={[]}>
          <Track corners={trackOf(scores, frame)} />
        </Overlay>
      )}
      {!isMissing && frame !== null && trackOf(scores, frame).length > 0 && (
        <figcaption>{WORDS.events.track}</figcaption>
      )}
    </figure>
  );
}

/** Share of the picture's width that something must have moved for its way to be worth drawing. */
const MOVED = 0.04;

/** The way that the middle of an event's box took; empty where it stayed in its place. */
function trackOf(
  scores: EventDocument['scores'],
  [width]: readonly [number, number],
): readonly (readonly [number, number])[] {
  const middles = scores.flatMap(({ box }) =>
    box === null ? [] : [[box[0] + box[2] / 2, box[1] + box[3] / 2] as const],
  );
  const extent = (axis: 0 | 1) => {
    const values = middles.map((middle) => middle[axis]);
    return Math.max(...values) - Math.min(...values);
  };
  const hasMoved = middles.length > 1 && Math.max(extent(0), extent(1)) >= MOVED * width;
  return hasMoved ? middles : [];
}

/** Hollow where it begins, full where it ends. */
function Track({ corners }: { readonly corners: readonly (readonly [number, number])[] }) {
  const [first] = corners;
  const last = corners.at(-1);
  if (first === undefined || last === undefined) return null;
  const path = corners.map(([x, y]) => `${x},${y}`).join(' ');
  return (
    <g class="track">
      <polyline points={path} class="under" />
      <polyline points={path} />
      <path d={`M${first}h0`} class="end" />
      <path d={`M${first}h0`} class="end hollow" />
      <path d={`M${last}h0`} class="end" />
    </g>
  );
}

/** The names of zones, with those in which it stays. */
function zoneOf({ camera, loitering }: EventRow): (zone: string) => string {
  const areas = state.value?.cameras.find(({ name }) => name === camera)?.areas ?? [];
  return (zone) => {
    const title = areas.find(({ kind, name }) => kind === 'zone' && name === zone)?.title ?? zone;
    return loitering.includes(zone) ? `${title} (${WORDS.events.loitering})` : title;
  };
}

function objectOf({ object, stationary }: EventRow): string {
  return stationary ? `${object}, ${WORDS.events.stationary}` : String(object);
}

/** What a second network says of it. */
function exactly({ sub_label: label, sub_score: score }: EventRow): string {
  return score === null ? String(label) : `${label}, ${percent(score)}`;
}

function lasted({ start, end }: EventRow): string {
  return end === null ? WORDS.events.now : durationOf((Date.parse(end) - Date.parse(start)) / 1000);
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Forget({ event }: { readonly event: EventRow }) {
  const [problem, setProblem] = useState<string | null>(null);
  const forget = async () => {
    if (!confirm(WORDS.events.forgetAsk)) return;
    try {
      await post(`events/${encodeURIComponent(event.id)}/forget`);
      drop(event.id);
      location.hash = '#/events';
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div class="buttons">
      <button type="button" class="quiet danger" onClick={() => void forget()}>
        {WORDS.events.forget}
      </button>
      {problem !== null && (
        <p class="problem" role="alert">
          {sentence(problem)}
        </p>
      )}
    </div>
  );
}
