import { createProtocolChoice, type ProtocolVersion } from './protocol-choice.js';
import { codeOf, QOS_NOT_SUPPORTED, RETAIN_NOT_SUPPORTED } from './reason-codes.js';
import { WillChoice, type WillForm } from './will-choice.js';

/** Brokers whose forms are remembered; names of a cluster's nodes may change for ever. */
const MAX_BROKERS = 64;

export interface FormOptions {
  readonly protocol: 'auto' | ProtocolVersion;
  /** Whether there is a will; without one none can be the fault. */
  readonly hasWill: boolean;
}

/** How one broker is spoken to: what it does not know is found out by trying. */
export class BrokerForm {
  readonly #protocol: ReturnType<typeof createProtocolChoice>;
  readonly #hasWill: boolean;
  readonly #will = new WillChoice();

  constructor({ protocol, hasWill }: FormOptions) {
    this.#protocol = createProtocolChoice(protocol);
    this.#hasWill = hasWill;
  }

  /** The form of the next attempt. */
  current(): { readonly protocol: ProtocolVersion; readonly will: WillForm } {
    return { protocol: this.#protocol.current(), will: this.#will.current() };
  }

  /** The broker has accepted it; false when it is only to be believed after another attempt. */
  accepted(): boolean {
    this.#protocol.connected();
    return this.#will.connected();
  }

  /**
   * The broker has not accepted it: `at once` when another form is worth an attempt without a word to
   * the user, `next` when the next attempt has another form or may soon have, `no` when the form is
   * not at fault.
   */
  failed(reason: unknown): 'at once' | 'next' | 'no' {
    const code = codeOf(reason);
    if (code === RETAIN_NOT_SUPPORTED) return this.#will.refused('retain') ? 'at once' : 'no';
    if (code === QOS_NOT_SUPPORTED) return this.#will.refused('qos') ? 'at once' : 'no';
    const version = this.#protocol.current();
    if (this.#protocol.failed(reason)) return 'at once';
    const wordless = reason === null || code === 'ECONNRESET' || code === 'EPIPE';
    const suspect = version === 4 && wordless && this.#hasWill;
    if (suspect && this.#will.failed()) return 'at once';
    return suspect || this.#protocol.current() !== version ? 'next' : 'no';
  }

  /** A connection that lasted has ended: the broker may have been given another configuration. */
  forget(): void {
    this.#will.forget();
  }
}

/** The forms of the brokers of a list, by address: they need not be alike. */
export class BrokerForms {
  readonly #options: FormOptions;
  readonly #forms = new Map<string, BrokerForm>();

  constructor(options: FormOptions) {
    this.#options = options;
  }

  of(broker: string): BrokerForm {
    const known = this.#forms.get(broker);
    if (known !== undefined) return known;
    if (this.#forms.size >= MAX_BROKERS) this.#forms.clear();
    const made = new BrokerForm(this.#options);
    this.#forms.set(broker, made);
    return made;
  }
}
