import { codedError, isCodedError } from '../../errors.js';
import type { PublishOptions } from '../message.js';
import type { BrokerLimits, FittedMessage } from './broker-limits.js';
import type { Holds } from './holds.js';
import type { Link } from './link.js';
import { describeFailure } from './loss-log.js';
import { codeOf, isForGood, isReadablePuback, PACKET_TOO_LARGE } from './reason-codes.js';
import type { Registration } from './subscriptions.js';
import type { Suspects } from './suspects.js';
import { createWindow } from './window.js';

/** QoS 1 messages under way at a time; less if the broker says so. */
export const WINDOW = 32;

type Settle = (error: Error | null) => void;

/**
 * Sends over the connection there is, within what the broker takes, and makes of its answers what they
 * mean: taken, refused for good, or refused for now.
 */
export class Sender {
  readonly #limits: BrokerLimits;
  readonly #suspects: Suspects;
  readonly #holds: Holds;
  readonly #window = createWindow(WINDOW);
  /** Ends of promises that the loss of the connection rejects. */
  readonly #unanswered = new Set<Settle>();
  #link: Link | null = null;

  constructor(limits: BrokerLimits, suspects: Suspects, holds: Holds) {
    this.#limits = limits;
    this.#suspects = suspects;
    this.#holds = holds;
  }

  /** There is a connection; `window`: messages that the broker takes at a time. */
  open(link: Link, window: number): void {
    this.#link = link;
    this.#window.reset(this.#suspects.careful ? 1 : window);
  }

  /** The connection has lasted: there is no need for care any more. */
  widen(window: number): void {
    this.#window.widen(window);
  }

  /** There is none any more; everything that waits for an answer is rejected. */
  close(failure: Error): void {
    this.#link = null;
    for (const settle of [...this.#unanswered]) settle(failure);
  }

  /** As `Connection.publish`; `broker` is its address, for errors. */
  publish(topic: string, bytes: Buffer, how: PublishOptions, broker: string): Promise<void> {
    const link = this.#link;
    if (link === null) return Promise.reject(unavailable(broker, 'there is no connection'));
    const held = this.#holds.find(topic, bytes.length);
    if (held !== null) return Promise.reject(heldError(topic, held));
    // With QoS 0 nobody would hear that it is still refused.
    const asked = this.#holds.isTried(topic) ? ({ ...how, qos: 1 } as const) : how;
    const fitted = this.#limits.fit(topic, bytes.length, asked);
    if ('fault' in fitted) return Promise.reject(refusal(topic, fitted.fault));
    return this.#answered((settle) => {
      const send = () => this.#transmit(link, topic, bytes, fitted, settle);
      // One at a time: what is under way when the connection is lost is then what it was lost over.
      if (fitted.qos === 0 && !this.#suspects.careful) send();
      else if (!this.#window.enter(send)) {
        settle(unavailable(broker, 'too many messages are under way'));
      }
    });
  }

  /** Asks for what a registration wants; rejects with MND_MQTT_REFUSED. */
  subscribe(registration: Registration): Promise<void> {
    const link = this.#link;
    const filters = this.filtersOf(registration);
    const subject = subscriptionOf(registration);
    const held = this.#holds.find(subject, 0) !== null;
    if (link === null || held || filters.length === 0) return Promise.resolve();
    const { careful } = this.#suspects;
    return this.#answered((settle) => {
      const send = () => {
        const trial = this.#holds.isTrial(subject);
        const trace = this.#suspects.sending({ ...SUBSCRIPTION, subject, trial });
        const qos = registration.qos === 0 ? 0 : this.#limits.subscriptionQos;
        const answered = () => {
          trace.answered();
          if (careful) this.#window.leave();
        };
        link.subscribe({ ...registration, qos }, filters, (error) => {
          if (error === null) {
            answered();
            this.#limits.granted(subject);
            this.#holds.accepted(subject, 0);
            settle(null);
          } else {
            const why = describeFailure(error, true);
            trace.refused(why);
            if (registration.lasting) this.#holds.hold(subject, why, { costly: trial, bytes: 0 });
            settle(refusal(subject, why));
            link.ping(answered);
          }
        });
      };
      if (!careful) send();
      else if (!this.#window.enter(send)) settle(null);
    });
  }

  /** Nobody wants it any more. */
  forget(registration: Registration): void {
    this.#holds.forget(subscriptionOf(registration));
  }

  /** What is asked for on this broker. */
  filtersOf({ filters, topics }: Registration): readonly string[] {
    if (this.#limits.wildcards) return filters;
    return topics?.() ?? filters.filter((filter) => !/[+#]/.test(filter));
  }

  #transmit(link: Link, topic: string, bytes: Buffer, how: FittedMessage, settle: Settle): void {
    const { qos, retain } = how;
    const size = bytes.length;
    const trial = this.#holds.isTrial(topic);
    const message = { kind: 'message', subject: topic, bytes: size, qos, retain, trial } as const;
    const trace = this.#suspects.sending(message);
    const { careful } = this.#suspects;
    const answered = () => {
      // One of QoS 0 is cleared by what is answered after it, and has taken no room.
      if (qos === 0 && !careful) return;
      trace.answered();
      this.#window.leave();
    };
    link.publish(topic, bytes, how, (error) => {
      if (error !== null) {
        trace.refused(describeFailure(error, true));
        settle(this.#refused(topic, size, error, trial));
        // A broker may close the connection over what it has refused; an answered ping says that it stays.
        link.ping(() => {
          answered();
          if (trial) this.#refused(topic, size, error, false);
        });
      } else if (careful) {
        // The broker has then read a message without an acknowledgement. And it stays: Mosquitto
        // acknowledges what is too large for it to a client of 3.1.1, and hangs up then.
        link.ping(() => {
          answered();
          this.#took(topic, size, how);
          settle(null);
        });
      } else {
        answered();
        if (qos === 1) this.#took(topic, size, how);
        settle(null);
      }
    });
  }

  #took(topic: string, bytes: number, how: FittedMessage): void {
    this.#holds.accepted(topic, bytes);
    this.#limits.took(bytes, how);
  }

  /**
   * What a refusal means: for good, for the size of the message, or for now. `trial`: the topic has cost the
   * connection before, and may again.
   */
  #refused(topic: string, bytes: number, error: unknown, trial: boolean): Error {
    const code = codeOf(error);
    const words = describeFailure(error, true);
    if (typeof code !== 'number') return refusal(topic, words);
    if (code === PACKET_TOO_LARGE) {
      this.#limits.refusedSize(bytes);
      return refusal(topic, `${words} (${bytes} bytes)`);
    }
    if (isForGood(code)) return refusal(topic, words);
    this.#holds.hold(topic, words, { costly: trial || !isReadablePuback(code), bytes: 0 });
    return heldError(topic, words);
  }

  /** A promise that {@link Sender.close} rejects when `begin` has not settled it before. */
  #answered(begin: (settle: Settle) => void): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const settle = (error: Error | null) => {
        if (!this.#unanswered.delete(settle)) return;
        if (error === null) resolve();
        else reject(error);
      };
      this.#unanswered.add(settle);
      begin(settle);
    });
  }
}

const SUBSCRIPTION = { kind: 'subscription', bytes: 0, qos: 0, retain: false } as const;

/** How a subscription is named among what is held back. */
export function subscriptionOf({ filters }: Registration): string {
  return `a subscription to ${filters.join(', ')}`;
}

export function unavailable(broker: string, found: string): Error {
  return codedError('MND_MQTT_UNAVAILABLE', { subject: broker, found });
}

function refusal(subject: string, found: string): Error {
  return codedError('MND_MQTT_REFUSED', { subject, found });
}

function heldError(subject: string, found: string): Error {
  return codedError('MND_MQTT_HELD', { subject, found, next: 'it is tried again' });
}

/** True for what the broker answered, false for what a lost connection did. */
export function isRefusal(error: unknown): boolean {
  return isCodedError(error) && error.code === 'MND_MQTT_REFUSED';
}
