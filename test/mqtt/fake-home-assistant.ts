import { type Listener, listenTo, type TestBroker } from './brokers.js';
import { faultsOf, updateFaults } from './home-assistant-rules.js';

type Component = Record<string, unknown>;

/** Plays Home Assistant: follows discovery, availability and states as its documentation says. */
export interface FakeHomeAssistant {
  /** Everything that was wrong with a discovery message. */
  readonly faults: string[];
  /** Discovery messages received, by number. */
  discoveries(): number;
  /** State by entity id; `unavailable` and `unknown` as Home Assistant has them. */
  states(): Record<string, string>;
  component(entity: string): Component | undefined;
  /** The device as it was announced last. */
  device(): unknown;
  press(entity: string, value?: string): Promise<void>;
  birth(): Promise<void>;
  until(what: string, condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startHomeAssistant(broker: TestBroker): Promise<FakeHomeAssistant> {
  const house: Listener = await listenTo(broker);
  const faults: string[] = [];
  const entities = new Map<string, Component>();
  const events = new Map<string, string>();
  let root: Component = {};
  let discoveries = 0;

  function onDiscovery(topic: string, text: string): void {
    discoveries++;
    if (text === '') {
      entities.clear();
      return;
    }
    const payload = JSON.parse(text);
    faults.push(...faultsOf('homeassistant', topic, payload));
    root = payload;
    for (const [key, component] of Object.entries<Component>(payload.components)) {
      // A component that is its platform alone is to be forgotten; one left out is left alone.
      if (Object.keys(component).length === 1) entities.delete(key);
      else entities.set(key, component);
    }
  }

  function onMessage(topic: string, text: string, retain: boolean): void {
    if (topic.startsWith('homeassistant/device/')) onDiscovery(topic, text);
    for (const component of entities.values()) {
      if (component.platform !== 'event' || component.state_topic !== topic) continue;
      if (retain) faults.push(`${topic} was retained`);
      const body = JSON.parse(render(component.value_template, text));
      if (!(component.event_types as string[]).includes(body.event_type)) {
        faults.push(`event type ${body.event_type}`);
      }
      events.set(topic, body.event_type);
    }
  }

  // Retained messages may have come together with the acknowledgement of the subscription.
  for (const { topic, text, retain } of house.heard) onMessage(topic, text, retain);
  house.client.on('message', (topic, payload, packet) =>
    onMessage(topic, payload.toString(), packet.retain),
  );

  function isAvailable(component: Component): boolean {
    const list = (component.availability ?? root.availability ?? []) as Component[];
    return list.every(({ topic, value_template: template }) => {
      const text = house.last.get(String(topic));
      return text !== undefined && render(template, text) === 'online';
    });
  }

  function stateOf(component: Component): string {
    if (!isAvailable(component)) return 'unavailable';
    const topic = String(component.state_topic ?? component.image_topic);
    if (component.platform === 'event') return events.get(topic) ?? 'unknown';
    const text = house.last.get(topic);
    if (text === undefined) return 'unknown';
    if (component.platform === 'image') return 'picture';
    const state = render(component.value_template, text);
    if (component.platform === 'update') faults.push(...updateFaults(state));
    if (component.platform === 'number') {
      const inside =
        Number(state) >= Number(component.min) && Number(state) <= Number(component.max);
      if (!inside) faults.push(`${component.default_entity_id}: ${state} is out of its range`);
    }
    if (state === 'None') return 'unknown';
    const options = component.options as string[] | undefined;
    if (options !== undefined && !options.includes(state)) faults.push(`${state} is no option`);
    return state;
  }

  function find(entity: string): Component | undefined {
    return [...entities.values()].find((component) => component.default_entity_id === entity);
  }

  return {
    faults,
    device: () => root.device,
    discoveries: () => discoveries,
    states: () =>
      Object.fromEntries(
        [...entities.values()]
          .filter((component) => component.state_topic ?? component.image_topic)
          .map((component) => [String(component.default_entity_id), stateOf(component)]),
      ),
    component: find,
    async press(entity, value) {
      const component = find(entity);
      const payload = String(value ?? component?.payload_press ?? 'PRESS');
      await house.client.publishAsync(String(component?.command_topic), payload, { qos: 1 });
    },
    async birth() {
      await house.client.publishAsync('homeassistant/status', 'online', { qos: 1 });
    },
    until: house.until,
    close: house.close,
  };
}

/** The few templates that are in use, as Jinja would render them. */
function render(template: unknown, value: string): string {
  if (template === undefined) return value;
  const text = String(template);
  if (text.includes("value_json.alpha ~ '/' ~ value_json.size")) {
    const { alpha, size } = JSON.parse(value);
    if (size === null) return 'None';
    return alpha === null ? `${python(size)} px` : `${python(alpha)}/${python(size)}`;
  }
  if (text === '{{ (value_json.budget * 100) | round(1) }}') {
    return python(Math.round(JSON.parse(value).budget * 1000) / 10);
  }
  const simple = /^\{\{ value_json\.(\w+) \}\}$/.exec(text);
  if (simple?.[1] !== undefined) return python(JSON.parse(value)[simple[1]]);
  const flag = /^\{\{ 'None' if value_json\.(\w+) is none else 'ON' if /.exec(text);
  if (flag?.[1] !== undefined) {
    const found = JSON.parse(value)[flag[1]];
    return found === null ? 'None' : found ? 'ON' : 'OFF';
  }
  const choice = /^\{\{ '(\w+)' if value == '(\w+)' else '(\w+)' \}\}$/.exec(text);
  if (choice !== null) return String(value === choice[2] ? choice[1] : choice[3]);
  if (text.includes('value_json.labels[0].score')) {
    const [first] = JSON.parse(value).labels;
    return String(first === undefined ? 0 : Math.round(first.score * 1000) / 10);
  }
  if (text.includes("'event_type': value_json.type")) {
    const { type, ...body } = JSON.parse(value);
    return JSON.stringify({ event_type: type, ...body });
  }
  throw new Error(`no idea how to render ${text}`);
}

function python(value: unknown): string {
  return value === null || value === undefined ? 'None' : String(value);
}
