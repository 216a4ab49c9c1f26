import { useState } from 'preact/hooks';
import { ApiError, begin, post, session } from './api.js';
import { sentence, WORDS } from './words.js';

function problemOf(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  if (error.status === 401) return WORDS.login.wrong;
  return error.status === 429 && error.retryAfterS > 0
    ? WORDS.login.wait(error.retryAfterS)
    : sentence(error.message);
}

export function Login() {
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  if (session.value?.login === false) {
    return (
      <section class="empty">
        <p>{WORDS.login.noUsers}</p>
      </section>
    );
  }

  async function enter(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await post('login', { user: form.get('user'), password: form.get('password') });
      setProblem(null);
      await begin();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form class="card login" onSubmit={(event) => void enter(event)}>
      <h2>{WORDS.login.title}</h2>
      <label>
        {WORDS.login.user}
        <input name="user" autocomplete="username" required maxLength={128} />
      </label>
      <label>
        {WORDS.login.password}
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" disabled={isBusy}>
        {WORDS.login.enter}
      </button>
    </form>
  );
}
