import type { PacedConnection } from './paced-connection.js';

/**
 * Who is connected. Aedes forgets connections of one client id when several come at once: they would stay,
 * beside their successor, and nobody would close them.
 */
export class Sessions {
  readonly #connections = new Set<PacedConnection>();
  /** The newest connection of each client id. */
  readonly #newest = new Map<string, PacedConnection>();

  /** Clients that were let in. */
  get size(): number {
    return this.#newest.size;
  }

  arrived(connection: PacedConnection): void {
    this.#connections.add(connection);
    connection.once('close', () => this.#connections.delete(connection));
  }

  /** A client was let in: an earlier connection of the same id ends. */
  begin(id: string, connection: PacedConnection): void {
    this.#newest.get(id)?.destroy();
    this.#newest.set(id, connection);
    connection.once('close', () => {
      if (this.#newest.get(id) === connection) this.#newest.delete(id);
    });
  }

  /** Ends all. */
  end(): void {
    for (const connection of this.#connections) connection.destroy();
  }
}
