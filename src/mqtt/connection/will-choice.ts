/** How the will is announced to the broker. */
export interface WillForm {
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

const FULL: WillForm = { qos: 1, retain: true };
/** What is tried in turn with a broker that hangs up on CONNECT without a word. */
const LESSER: readonly WillForm[] = [
  { qos: 1, retain: false },
  { qos: 0, retain: true },
  { qos: 0, retain: false },
];
/** Attempts that ended without a word before the will is suspected. */
const PATIENCE = 3;

/**
 * Which will a broker takes. One of MQTT 5 says what it does not (reason codes 154 and 155); one of
 * 3.1.1 closes the connection. A lesser form that works is believed only after the full one has failed
 * once more: the broker may just have been away.
 */
export class WillChoice {
  #form = FULL;
  #wordless = 0;
  /** A form that has worked once, to be believed if the full one fails again. */
  #candidate: WillForm | null = null;
  #believed = false;

  current(): WillForm {
    return this.#form;
  }

  /** The broker says what it does not take; true when that leaves another form to try at once. */
  refused(what: 'retain' | 'qos'): boolean {
    const next: WillForm =
      what === 'retain' ? { ...this.#form, retain: false } : { ...this.#form, qos: 0 };
    const changed = next.qos !== this.#form.qos || next.retain !== this.#form.retain;
    this.#form = next;
    this.#believed = true;
    return changed;
  }

  /** An attempt to connect ended without a word; true when another form is worth an attempt at once. */
  failed(): boolean {
    if (this.#believed) return false;
    this.#wordless += 1;
    if (this.#candidate !== null && this.#form === FULL) {
      this.#form = this.#candidate;
      this.#believed = true;
      return true;
    }
    const step = this.#wordless - PATIENCE;
    const first = LESSER[step];
    if (first !== undefined) {
      this.#form = first;
      return true;
    }
    if (step < 0) return false;
    // From now on the full form in between, in case that the broker was only away.
    const later = step - LESSER.length;
    this.#form = later % 2 === 0 ? FULL : (LESSER[((later - 1) / 2) % LESSER.length] ?? FULL);
    return false;
  }

  /** Connected; false when this form is only to be believed after another attempt: reconnect. */
  connected(): boolean {
    this.#wordless = 0;
    if (this.#form === FULL) {
      this.#candidate = null;
      return true;
    }
    if (this.#believed) return true;
    this.#candidate = this.#form;
    this.#form = FULL;
    return false;
  }

  /** A connection that lasted has ended: the broker may have been given another configuration. */
  forget(): void {
    this.#form = FULL;
    this.#candidate = null;
    this.#believed = false;
    this.#wordless = 0;
  }
}
