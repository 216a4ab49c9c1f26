import { useRef, useState } from 'preact/hooks';
import { mayChange, post, state } from '../api.js';
import { useKept } from '../draft.js';
import { useAnswer } from '../load.js';
import type { ConfigDocument } from '../types.js';
import { WORDS } from '../words.js';
import { AreaDrawer } from './drawer.js';
import { Failure } from './events.js';

export function ConfigurationView() {
  if (!mayChange()) {
    return (
      <section class="empty">
        <p>{WORDS.system.onlyAdmin}</p>
      </section>
    );
  }
  return (
    <div class="grid configuration">
      <Values />
      <Check />
      {(state.value?.cameras.length ?? 0) > 0 && <AreaDrawer />}
    </div>
  );
}

function Values() {
  const [filter, setFilter] = useKept('filter of the keys', '');
  const { value, error, reload } = useAnswer<ConfigDocument>('config');
  const [said, setSaid] = useState<string | null>(null);
  const wanted = filter.toLowerCase();
  const rows = (value?.values ?? []).filter(({ key }) => key.toLowerCase().includes(wanted));
  const readAgain = async () => {
    try {
      setSaid(String((await post('reload')).done));
      reload();
    } catch (cause) {
      setSaid(cause instanceof Error ? cause.message : String(cause));
    }
  };
  return (
    <section class="card card-body wide">
      <div class="row">
        <h2>{WORDS.configuration.values}</h2>
        <input
          type="search"
          placeholder={WORDS.configuration.filter}
          aria-label={WORDS.configuration.filter}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        <button type="button" class="quiet" onClick={() => void readAgain()}>
          {WORDS.configuration.reload}
        </button>
      </div>
      {said !== null && <p role="status">{said}</p>}
      {error !== null && <Failure message={error} onRetry={reload} />}
      <div class="scroll tall" tabIndex={0} role="region" aria-label={WORDS.configuration.values}>
        <table class="values">
          <thead>
            <tr>
              <th scope="col">{WORDS.configuration.key}</th>
              <th scope="col">{WORDS.configuration.value}</th>
              <th scope="col">{WORDS.configuration.origin}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, value: shown, origin }) => (
              <tr key={key}>
                <th scope="row">
                  <code>{key}</code>
                </th>
                <td>
                  <code>{JSON.stringify(shown)}</code>
                </td>
                <td class="muted">{origin}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Check() {
  const [problems, setProblems] = useState<readonly string[] | null>(null);
  const [yaml, setYaml] = useKept('pasted', '');
  const newest = useRef(0);
  const check = async (event: SubmitEvent) => {
    event.preventDefault();
    newest.current += 1;
    const mine = newest.current;
    setProblems(null);
    const found = await post('config/check', { yaml }).then(
      (answer) => answer.problems as readonly string[],
      (error: Error) => [error.message],
    );
    // What was asked before may be answered later.
    if (mine === newest.current) setProblems(found);
  };
  return (
    <section class="card card-body">
      <h2>{WORDS.configuration.check}</h2>
      <p class="muted">{WORDS.configuration.checkText}</p>
      <form onSubmit={(event) => void check(event)}>
        <textarea
          rows={10}
          value={yaml}
          onInput={(event) => setYaml(event.currentTarget.value)}
          spellcheck={false}
          maxLength={60_000}
          aria-label={WORDS.configuration.check}
        />
        <button type="submit">{WORDS.configuration.checkButton}</button>
      </form>
      {problems !== null && (
        <div role="status">
          {problems.length === 0 ? (
            <p class="good">{WORDS.configuration.good}</p>
          ) : (
            <ul class="problems">
              {problems.map((problem) => (
                <li key={problem}>{problem}</li>
              ))}
            </ul>
          )}
        </div>
      )}
    </section>
  );
}
