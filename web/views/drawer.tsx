import { useState } from 'preact/hooks';
import { state } from '../api.js';
import type { Area, Camera } from '../types.js';
import { WORDS } from '../words.js';
import { Absent } from './cameras.js';
import { Overlay, useLivePicture } from './picture.js';

type Point = readonly [number, number];
type Kind = 'zone' | 'mask';

/** Corners set on a live picture, as lines of configuration to copy: shares of the frame. */
export function AreaDrawer() {
  const cameras = state.value?.cameras ?? [];
  const [chosen, setChosen] = useState(cameras[0]?.name ?? '');
  const [kind, setKind] = useState<Kind>('zone');
  const [name, setName] = useState('');
  const [points, setPoints] = useState<readonly Point[]>([]);
  const camera = cameras.find((each) => each.name === chosen);
  const words = WORDS.configuration;
  const key = keyOf(name) || words.zoneExample;
  return (
    <section class="card card-body">
      <h2>{words.draw}</h2>
      <p class="muted">{words.drawText}</p>
      <div class="filters">
        <label>
          {WORDS.events.camera}
          <select value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
            {cameras.map((each) => (
              <option key={each.name} value={each.name}>
                {each.title}
              </option>
            ))}
          </select>
        </label>
        <div class="segments" role="group" aria-label={words.draw}>
          {(['zone', 'mask'] as const).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={kind === each}
              onClick={() => setKind(each)}
            >
              {words.kinds[each]}
            </button>
          ))}
        </div>
        {kind === 'zone' && (
          <label>
            {words.zoneName}
            <input
              value={name}
              maxLength={64}
              placeholder={words.zoneExample}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
        )}
      </div>
      <Canvas camera={camera} kind={kind} points={points} onChange={setPoints} />
      <div class="row">
        <span class="muted">{words.corners(points.length, kind === 'zone' ? 2 : 3)}</span>
        <button
          type="button"
          class="quiet"
          disabled={points.length === 0}
          onClick={() => setPoints(points.slice(0, -1))}
        >
          {words.undo}
        </button>
        <button
          type="button"
          class="quiet"
          disabled={points.length === 0}
          onClick={() => setPoints([])}
        >
          {words.clear}
        </button>
      </div>
      <Lines text={yamlOf({ camera: chosen, kind, name: key, points })} />
    </section>
  );
}

/** The picture to draw on: a click sets a corner. What is configured is shown as well. */
function Canvas({
  camera,
  kind,
  points,
  onChange,
}: {
  readonly camera: Camera | undefined;
  readonly kind: Kind;
  readonly points: readonly Point[];
  readonly onChange: (points: readonly Point[]) => void;
}) {
  const frame = useLivePicture(camera?.name ?? '', camera?.status === 'online');
  const add = (event: MouseEvent) => {
    const place = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const x = (event.clientX - place.left) / place.width;
    const y = (event.clientY - place.top) / place.height;
    onChange([...points, [round(x), round(y)]]);
  };
  if (frame === null || camera === undefined) {
    return (
      <figure class="picture drawing">
        <p class="placeholder">{camera !== undefined && <Absent camera={camera} />}</p>
      </figure>
    );
  }
  const drawn: Area = {
    ...{ kind, name: '' },
    points: points.map(([x, y]) => [x * frame.width, y * frame.height]),
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a drawing needs a pointer; the numbers can be written
    <figure class="picture drawing" onClick={add}>
      <img src={frame.url} alt={WORDS.camera.alt(camera.title, [])} />
      <Overlay size={[frame.width, frame.height]} labels={[]} areas={[...camera.areas, drawn]} />
    </figure>
  );
}

function Lines({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <div class="lines">
      <pre tabIndex={0}>{text}</pre>
      <button
        type="button"
        class="quiet"
        onClick={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}
      >
        {isCopied ? WORDS.configuration.copied : WORDS.configuration.copy}
      </button>
    </div>
  );
}

/** A key of the configuration: what topics and names of files can have. */
function keyOf(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_-]+/gu, '_');
}

function yamlOf({
  camera,
  kind,
  name,
  points,
}: {
  readonly camera: string;
  readonly kind: Kind;
  readonly name: string;
  readonly points: readonly Point[];
}): string {
  const area = `[${points.map(([x, y]) => `[${x}, ${y}]`).join(', ')}]`;
  const lines =
    kind === 'zone' ? `    zones:\n      ${name}: { area: ${area} }` : `    mask:\n      - ${area}`;
  return `cameras:\n  ${camera}:\n${lines}\n`;
}

function round(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1000) / 1000;
}
