import { useState } from 'preact/hooks';
import { state } from '../api.js';
import { useKept } from '../draft.js';
import { useAnswer } from '../load.js';
import type { Area, Camera, Model } from '../types.js';
import { WORDS } from '../words.js';
import { Absent } from './cameras.js';
import { Overlay, useLivePicture } from './picture.js';

type Point = readonly [number, number];
type Kind = 'zone' | 'mask';

/** Corners that an area has at least: two make a line. */
const LEAST: Readonly<Record<Kind, number>> = { zone: 2, mask: 3 };
/** Corners that an area has at most. */
const MOST = 256;

/** Corners set on a live picture, as lines of configuration to copy: shares of the frame. */
export function AreaDrawer() {
  const cameras = state.value?.cameras ?? [];
  const [wanted, setWanted] = useKept('drawn camera', '');
  const [kind, setKind] = useKept<Kind>('drawn kind', 'zone');
  const [name, setName] = useKept('drawn name', '');
  const [points, setPoints] = useKept<readonly Point[]>('drawn corners', []);
  // A camera that was chosen may have been taken out of the configuration.
  const camera = cameras.find((each) => each.name === wanted) ?? cameras[0];
  const chosen = camera?.name ?? '';
  const words = WORDS.configuration;
  const models = useAnswer<readonly Model[]>('models').value ?? [];
  const hasBoxes = models.every(({ runs, task }) => !runs || task !== 'classify');
  const key = keyOf(name) || words.zoneExample;
  return (
    <section class="card card-body">
      <h2>{words.draw}</h2>
      <p class="muted">{words.drawText}</p>
      {!hasBoxes && kind === 'zone' && <p class="problem">{words.noBoxes}</p>}
      <div class="filters">
        <label>
          {WORDS.events.camera}
          <select value={chosen} onChange={(event) => setWanted(event.currentTarget.value)}>
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
        <span class="muted" role="status">
          {words.corners(points.length, LEAST[kind])}
        </span>
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
      {points.length < LEAST[kind] ? (
        <p class="muted">{words.drawFirst}</p>
      ) : (
        <Lines text={yamlOf({ camera: chosen, kind, key, name, points })} />
      )}
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
  const [cross, setCross] = useState<Point | null>(null);
  const add = ([x, y]: Point) => {
    if (points.length < MOST) onChange([...points, [round(x), round(y)]]);
  };
  const click = (event: MouseEvent) => {
    const place = (event.currentTarget as HTMLElement).getBoundingClientRect();
    add([(event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height]);
  };
  const press = (event: KeyboardEvent) => {
    const [x, y] = cross ?? MIDDLE;
    const [right, down] = ARROWS[event.key] ?? [0, 0];
    const step = event.shiftKey ? 0.1 : 0.01;
    if (event.key === 'Enter' || event.key === ' ') add([x, y]);
    else if (event.key === 'Backspace') onChange(points.slice(0, -1));
    else if (right === 0 && down === 0) return;
    else setCross([round(x + step * right), round(y + step * down)]);
    event.preventDefault();
  };
  if (frame === null || camera === undefined) {
    return (
      <figure class="picture drawing">
        <p class="placeholder">{camera !== undefined && <Absent camera={camera} />}</p>
      </figure>
    );
  }
  const pixels = ([x, y]: Point) => [x * frame.width, y * frame.height] as const;
  const drawn: Area = { kind, name: '', title: '', points: points.map(pixels) };
  return (
    <figure class="picture drawing">
      <img src={frame.url} alt={WORDS.camera.alt(camera.title, [])} />
      <Overlay size={[frame.width, frame.height]} labels={[]} areas={[...camera.areas, drawn]}>
        {points.map((point, index) => (
          <path key={index} d={`M${pixels(point)}h0`} class="corner" />
        ))}
        {cross !== null && <path d={crossOf(pixels(cross), frame)} class="cross" />}
      </Overlay>
      <button
        type="button"
        class="canvas"
        aria-label={WORDS.configuration.drawKeys}
        onClick={(event) => event.detail > 0 && click(event)}
        onKeyDown={press}
        onFocus={(event) =>
          event.currentTarget.matches(':focus-visible') && setCross(cross ?? MIDDLE)
        }
        onBlur={() => setCross(null)}
      />
    </figure>
  );
}

const MIDDLE: Point = [0.5, 0.5];
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Two lines through a point, over all of the picture. */
function crossOf(
  [x, y]: readonly [number, number],
  { width, height }: { readonly width: number; readonly height: number },
): string {
  return `M0,${y}H${width}M${x},0V${height}`;
}

function Lines({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState<string | null>(null);
  const [isRefused, setRefused] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(text);
      setRefused(false);
    } catch {
      // A browser gives the clipboard to https and to this machine alone.
      setRefused(true);
    }
  };
  return (
    <div class="lines">
      <pre tabIndex={0} role="region" aria-label={WORDS.configuration.lines}>
        {text}
      </pre>
      <button type="button" class="quiet" onClick={() => void copy()}>
        {copied === text ? WORDS.configuration.copied : WORDS.configuration.copy}
      </button>
      {isRefused && <p role="status">{WORDS.configuration.uncopied}</p>}
    </div>
  );
}

/** A key of the configuration, as topics can have it: letters without their marks, digits, "-" and "_". */
function keyOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '_')
    .replace(/^[_-]+|_+$/g, '')
    .slice(0, 64);
}

function yamlOf({
  camera,
  kind,
  key,
  name,
  points,
}: {
  readonly camera: string;
  readonly kind: Kind;
  readonly key: string;
  /** As it was typed. */
  readonly name: string;
  readonly points: readonly Point[];
}): string {
  const area = `[${points.map(([x, y]) => `[${x}, ${y}]`).join(', ')}]`;
  const title =
    name.trim() === '' || name.trim() === key ? '' : `name: ${JSON.stringify(name.trim())}, `;
  const lines =
    kind === 'zone'
      ? `    zones:\n      ${keyWord(key)}: { ${title}area: ${area} }`
      : `    mask:\n      - ${area}`;
  return `cameras:\n  ${keyWord(camera)}:\n${lines}\n`;
}

/** A key as YAML reads it back: what could be a number, a truth value or nothing is quoted. */
function keyWord(key: string): string {
  const isPlain =
    /^[a-z][\w-]*$/i.test(key) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(key);
  return isPlain ? key : JSON.stringify(key);
}

function round(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1000) / 1000;
}
