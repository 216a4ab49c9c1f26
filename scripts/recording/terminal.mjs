// A real terminal (tmux) that can be typed into and read, line by line with the time of each.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const POLL_MS = 50;

export const hasTmux = () => spawnSync('tmux', ['-V']).status === 0;

/** A shell in a terminal of its own; `lines` are what stands in it, from the first row. */
export class Terminal {
  #folder = mkdtempSync(join(tmpdir(), 'terminal-'));
  #socket = join(this.#folder, 'tmux');
  #began = performance.now();
  /** @type {{ text: string, atMs: number }[]} */
  #rows = [];

  constructor({ columns, rows, cwd, env }) {
    const shell = [
      'env',
      'PS1=$ ',
      ...Object.entries(env).map(([key, value]) => `${key}=${value}`),
    ];
    const size = ['-x', String(columns), '-y', String(rows)];
    this.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      ...size,
      '-c',
      cwd,
      ...shell,
      'bash',
      '--norc',
    );
    this.#tmux('set-option', '-g', 'status', 'off');
  }

  type(text) {
    this.#tmux('send-keys', '-l', text);
    this.#tmux('send-keys', 'Enter');
  }

  press(key) {
    this.#tmux('send-keys', key);
  }

  /** Reads the terminal until `holds` of its lines; throws after `patienceMs`. */
  async until(holds, patienceMs = 300_000) {
    const end = performance.now() + patienceMs;
    while (!holds(this.lines())) {
      if (performance.now() > end) throw new Error(`waited in vain\n${this.lines().join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return this.lines();
  }

  lines() {
    const shown = this.#tmux('capture-pane', '-p').trimEnd().split('\n');
    const atMs = performance.now() - this.#began;
    this.#rows = shown.map((text, row) =>
      this.#rows[row]?.text === text ? this.#rows[row] : { text, atMs },
    );
    return shown;
  }

  /** Every row with the time when it came to be what it is, ms since the start. */
  get recorded() {
    return this.#rows;
  }

  close() {
    spawnSync('tmux', ['-S', this.#socket, 'kill-server']);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #tmux(...args) {
    return execFileSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8' });
  }
}
