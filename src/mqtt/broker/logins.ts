import { verifyPassword } from './password.js';

export interface LoginOptions {
  /** Password hashes (see password.ts) by user name; absent: everybody is let in. */
  readonly users?: Readonly<Record<string, string>>;
  /** Lets anybody in who names no user. */
  readonly allowAnonymous?: boolean;
}

/** Which users and passwords are let in. */
export class Logins {
  readonly #options: LoginOptions;
  #verifying: Promise<unknown> = Promise.resolve();

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  async accepts(username: string | undefined, password: Buffer | undefined): Promise<boolean> {
    const { users, allowAnonymous = false } = this.#options;
    if (users === undefined || (username === undefined && allowAnonymous)) return true;
    const known = username !== undefined && Object.hasOwn(users, username);
    const hash = known ? (users[username] ?? null) : null;
    // One after the other: whoever tries passwords must not take every core of the board.
    const verified = this.#verifying.then(() => verifyPassword(password ?? Buffer.alloc(0), hash));
    this.#verifying = verified;
    return verified;
  }
}
