import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isHidden } from '../api.js';
import type { Area, Box, LabelOnPicture } from '../types.js';

/** A frame as it came: a picture and when it was taken. */
interface LiveFrame {
  readonly url: string;
  readonly width: number;
  readonly height: number;
}

const RETRY_MS = 3000;

/**
 * The camera's newest pictures, one request at a time, while they can be seen. Polled: a browser opens
 * six connections to a host, and a picture that never ends would hold one of them.
 */
export function useLivePicture(camera: string, isWanted: boolean): LiveFrame | null {
  const [frame, setFrame] = useState<LiveFrame | null>(null);
  const hidden = isHidden.value;
  useEffect(() => {
    if (!isWanted || hidden) return undefined;
    const stop = new AbortController();
    let shown: string | null = null;
    void (async () => {
      for (let after = -1; !stop.signal.aborted; ) {
        const next = await fetchFrame(camera, after, stop.signal);
        if (stop.signal.aborted) break;
        if (next === null) {
          await new Promise((resolve) => setTimeout(resolve, after === -1 ? RETRY_MS : 250));
          continue;
        }
        after = next.sequence;
        if (shown !== null) URL.revokeObjectURL(shown);
        shown = next.url;
        setFrame(next);
      }
    })();
    return () => {
      stop.abort();
      if (shown !== null) URL.revokeObjectURL(shown);
      setFrame(null);
    };
  }, [camera, isWanted, hidden]);
  return frame;
}

async function fetchFrame(
  camera: string,
  after: number,
  signal: AbortSignal,
): Promise<(LiveFrame & { readonly sequence: number }) | null> {
  try {
    const path = `api/v1/cameras/${encodeURIComponent(camera)}/frame.jpg?after=${after}`;
    const answer = await fetch(path, { signal, credentials: 'same-origin' });
    if (answer.status !== 200) return null;
    const sequence = Number(answer.headers.get('X-Frame-Sequence'));
    const bitmap = await answer.blob();
    const url = URL.createObjectURL(bitmap);
    const { naturalWidth: width, naturalHeight: height } = await decoded(url);
    return { url, width, height, sequence };
  } catch {
    return null;
  }
}

async function decoded(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

/** Whether an element is in the window. */
export function useIsVisible(): [(element: Element | null) => void, boolean] {
  const [isVisible, setVisible] = useState(false);
  const observer = useRef<IntersectionObserver | null>(null);
  const attach = (element: Element | null) => {
    observer.current?.disconnect();
    if (element === null) return;
    observer.current = new IntersectionObserver(
      ([entry]) => setVisible(entry?.isIntersecting === true),
      {
        rootMargin: '120px',
      },
    );
    observer.current.observe(element);
  };
  const ref = useRef(attach);
  return [ref.current, isVisible];
}

/** Size of a box's letters in hundredths of the picture's width, and in pixels of the screen at least. */
const LETTERS = 2.2;
const LETTERS_PX = 12;

/** How wide a drawing is on the screen, px. */
function useShownWidth(): [(element: Element | null) => void, number] {
  const [shownWidth, setShownWidth] = useState(640);
  const observer = useRef<ResizeObserver | null>(null);
  const attach = useRef((element: Element | null) => {
    observer.current?.disconnect();
    if (element === null) return;
    observer.current = new ResizeObserver(([entry]) =>
      setShownWidth(Math.max(1, entry?.contentRect.width ?? 1)),
    );
    observer.current.observe(element);
  });
  return [attach.current, shownWidth];
}

/** Boxes, names and areas over a picture of this many pixels. */
export function Overlay({
  size: [width, height],
  labels,
  areas,
  children,
}: {
  readonly size: readonly [number, number];
  readonly labels: readonly LabelOnPicture[];
  readonly areas: readonly Area[];
  /** More of the drawing, in pixels of the picture. */
  readonly children?: ComponentChildren;
}) {
  const [drawing, shownWidth] = useShownWidth();
  // Letters of the same size however large the camera's picture is, and none too small to read.
  const unit = Math.max(width / 100, (LETTERS_PX / LETTERS) * (width / shownWidth));
  const pixelsOf = ([x, y]: readonly [number, number]) =>
    x <= 1 && y <= 1 ? ([x * width, y * height] as const) : ([x, y] as const);
  return (
    <svg class="overlay" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" ref={drawing}>
      {areas.map(({ kind, name, title, points }) => (
        <g key={`${kind} ${name}`} class={`area ${kind}`}>
          <polygon
            class={points.length === 2 ? 'crossed' : undefined}
            points={points.map((point) => pixelsOf(point).join(',')).join(' ')}
          />
          {kind === 'zone' && points[0] !== undefined && (
            <text
              x={pixelsOf(points[0])[0] + unit}
              y={pixelsOf(points[0])[1] + 3.4 * unit}
              font-size={2.6 * unit}
            >
              {title}
            </text>
          )}
        </g>
      ))}
      {labels.map(({ label, score, box }, index) => {
        const text = `${label} ${percent(score)}`;
        const key = `${label} ${index}`;
        if (box !== null) return <BoxMark key={key} box={box} unit={unit} text={text} />;
        // A network that only names what it sees says it in the corner.
        const row = labels.slice(0, index).filter((each) => each.box === null).length;
        return (
          <g class="name" key={key}>
            <Plate x={unit} y={(1 + 3.6 * row) * unit} unit={unit} text={text} />
          </g>
        );
      })}
      {children}
    </svg>
  );
}

function BoxMark({
  box: [x, y, width, height],
  unit,
  text,
}: {
  readonly box: Box;
  readonly unit: number;
  readonly text: string;
}) {
  const size = LETTERS * unit;
  const isInside = y < 1.5 * size;
  return (
    <g class="box">
      <rect x={x} y={y} width={width} height={height} rx={unit} class="box-line" />
      <Plate x={x} y={isInside ? y : y - 1.4 * size} unit={unit} text={text} />
    </g>
  );
}

/** A text on a plate whose upper left corner is at x, y. */
function Plate({
  x,
  y,
  unit,
  text,
}: {
  readonly x: number;
  readonly y: number;
  readonly unit: number;
  readonly text: string;
}) {
  const size = LETTERS * unit;
  const width = lettersOf(text) * size + 1.6 * unit;
  return (
    <>
      <rect x={x} y={y} width={width} height={1.4 * size} rx={unit} class="box-plate" />
      <text x={x + 0.8 * unit} y={y + size} font-size={size}>
        {text}
      </text>
    </>
  );
}

/** How wide a text is, in heights of its letters: a little more than in the fonts that are common. */
function lettersOf(text: string): number {
  const widths = [...text].map((letter) =>
    /[ fijlrt.,'|]/.test(letter) ? 0.42 : /[mwMW%@]/.test(letter) ? 1.02 : 0.7,
  );
  return widths.reduce((sum, width) => sum + width, 0);
}

export function percent(score: number): string {
  return `${Math.round(100 * score)} %`;
}
