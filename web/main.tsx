import { effect, signal } from '@preact/signals';
import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { begin, forgetAll, post, session, state, trouble } from './api.js';
import { forgetKept } from './draft.js';
import { Login } from './login.js';
import { CamerasView } from './views/cameras.js';
import { ConfigurationView } from './views/configuration.js';
import { EventView } from './views/event.js';
import { EventsView } from './views/events.js';
import { HeatView } from './views/heat.js';
import { SystemView } from './views/system.js';
import { problemsOf, sentence, sentenceOf, WORDS } from './words.js';

const TABS = ['cameras', 'events', 'heat', 'system', 'configuration'] as const;
type Tab = (typeof TABS)[number];

/** The part of the address after `#/`. */
const route = signal(routeNow());
window.addEventListener('hashchange', () => {
  route.value = routeNow();
  document.querySelector('main')?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
});

function routeNow(): readonly string[] {
  try {
    return location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent).filter(Boolean);
  } catch {
    // A link that was cut off in the middle of a letter.
    return [];
  }
}

/** °C a minute, from the states of the last half minute. */
const temperatures: { readonly at: number; readonly value: number }[] = [];
const trend = signal<number | null>(null);
effect(() => {
  const value = state.value?.temperature;
  if (value == null) return;
  const at = performance.now();
  temperatures.push({ at, value });
  while (temperatures.length > 31) temperatures.shift();
  const first = temperatures[0];
  trend.value =
    first === undefined || at - first.at < 10_000
      ? null
      : ((value - first.value) * 60_000) / (at - first.at);
});

function tabNow(): Tab {
  return TABS.find((each) => each === route.value[0]) ?? 'cameras';
}

effect(() => {
  document.title = `${WORDS.tabs[tabNow()]} · ${state.value?.node ?? WORDS.title}`;
});

function App() {
  const [, id] = route.value;
  const tab = tabNow();
  const who = session.value;
  const mayLook = who === null || who.role !== null;
  const nav = useRef<HTMLElement>(null);
  useEffect(() => showCurrent(nav.current), [tab, mayLook]);
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        {WORDS.skip}
      </button>
      <header class="top">
        <div class="brand">
          <Mark />
          <h1>{state.value?.node ?? WORDS.title}</h1>
        </div>
        <Sentence />
        {mayLook && (
          <nav aria-label={WORDS.title} ref={nav}>
            {TABS.map((each) => (
              <a key={each} href={`#/${each}`} aria-current={each === tab ? 'page' : undefined}>
                {WORDS.tabs[each]}
              </a>
            ))}
            {who?.login === true && who.user !== null && (
              <button class="quiet" type="button" onClick={() => void leave()}>
                {WORDS.login.leave}
              </button>
            )}
          </nav>
        )}
      </header>
      {trouble.value !== null && (
        <p class="banner" role="alert">
          {sentence(trouble.value)}
        </p>
      )}
      {state.value?.doing != null && (
        <p class="banner busy" role="status">
          {sentence(state.value.doing)}
        </p>
      )}
      <main id="main" tabIndex={-1} class={trouble.value === null ? undefined : 'stale'}>
        {mayLook ? <View tab={tab} id={id} /> : <Login />}
      </main>
    </>
  );
}

/** How things are; what a screen reader is told of it does not change with every degree. */
function Sentence() {
  if (session.value?.role === null) return <p class="sentence">{WORDS.askLogin}</p>;
  if (state.value === null) {
    return <p class="sentence">{trouble.value === null ? WORDS.loading : ''}</p>;
  }
  const problems = problemsOf(state.value).join(' ');
  return (
    <p class="sentence">
      {trouble.value !== null && WORDS.lastKnown}
      {sentenceOf(state.value, trend.value)}{' '}
      {problems !== '' && <strong class="problem">{problems}</strong>}
      <span class="unseen" role="status">
        {sentenceOf({ ...state.value, temperature: null }, null)} {problems}
      </span>
    </p>
  );
}

/** No link: the part of the address after # is the tab. */
function skip(): void {
  document.querySelector('main')?.focus();
}

/** Pixels at the edge of the tabs that fade out: see .top nav in style.css. */
const FADE = 28;

/** Where there is no room for every tab, the one that is open is in sight. */
function showCurrent(nav: HTMLElement | null): void {
  const link = nav?.querySelector<HTMLElement>('[aria-current]');
  if (nav == null || link == null) return;
  const left = link.offsetLeft - nav.offsetLeft;
  const isOut =
    left < nav.scrollLeft || left + link.offsetWidth + FADE > nav.scrollLeft + nav.clientWidth;
  if (isOut) nav.scrollLeft = left - FADE;
}

function View({ tab, id }: { readonly tab: Tab; readonly id: string | undefined }) {
  // The line below the head says why there is nothing yet.
  if (state.value === null) {
    const text = trouble.value === null ? WORDS.loading : WORDS.noAnswer;
    return (
      <section class="empty">
        <p>{text}</p>
      </section>
    );
  }
  switch (tab) {
    case 'cameras':
      return <CamerasView />;
    case 'events':
      return id === undefined ? <EventsView /> : <EventView id={id} key={id} />;
    case 'heat':
      return <HeatView />;
    case 'system':
      return <SystemView />;
    case 'configuration':
      return <ConfigurationView />;
  }
}

async function leave(): Promise<void> {
  await post('logout').catch(() => {});
  forgetKept();
  forgetAll();
  await begin();
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect x="3" y="3" width="26" height="26" rx="8" class="mark-back" />
      <rect x="9" y="17" width="4" height="7" rx="1.5" class="mark-low" />
      <rect x="14.5" y="12.5" width="4" height="11.500" rx="1.5" class="mark-mid" />
      <rect x="20" y="8" width="4" height="16" rx="1.5" class="mark-high" />
    </svg>
  );
}

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
void begin();
