import { effect, signal } from '@preact/signals';
import { render } from 'preact';
import { begin, post, session, state, trouble } from './api.js';
import { Login } from './login.js';
import { CamerasView } from './views/cameras.js';
import { ConfigurationView } from './views/configuration.js';
import { EventView } from './views/event.js';
import { EventsView } from './views/events.js';
import { HeatView } from './views/heat.js';
import { SystemView } from './views/system.js';
import { sentenceOf, WORDS } from './words.js';

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
  return location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent).filter(Boolean);
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

function App() {
  const [head = 'cameras', id] = route.value;
  const tab: Tab = TABS.find((each) => each === head) ?? 'cameras';
  const who = session.value;
  return (
    <>
      <a class="skip" href="#main">
        {WORDS.skip}
      </a>
      <header class="top">
        <div class="brand">
          <Mark />
          <h1>{state.value?.node ?? WORDS.title}</h1>
        </div>
        <p class="sentence" role="status">
          {state.value === null ? WORDS.loading : sentenceOf(state.value, trend.value)}
        </p>
        <nav aria-label={WORDS.title}>
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
      </header>
      {trouble.value !== null && (
        <p class="banner" role="alert">
          {trouble.value}
        </p>
      )}
      {state.value?.doing != null && (
        <p class="banner busy" role="status">
          {state.value.doing}
        </p>
      )}
      <main id="main" tabIndex={-1}>
        {who !== null && who.role === null ? <Login /> : <View tab={tab} id={id} />}
      </main>
    </>
  );
}

function View({ tab, id }: { readonly tab: Tab; readonly id: string | undefined }) {
  if (state.value === null) return <p class="empty">{WORDS.loading}</p>;
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
  state.value = null;
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
