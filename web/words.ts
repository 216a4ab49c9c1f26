import type { Camera, State } from './types.js';

/** Everything the page says, in one place: a translation is another file of this shape. */
export const WORDS = {
  title: 'mobilenetd',
  tabs: {
    cameras: 'Cameras',
    events: 'Events',
    heat: 'Heat',
    system: 'System',
    configuration: 'Configuration',
  },
  skip: 'Skip to the content',
  loading: 'Looking…',
  retry: 'Try again',
  lost: 'The board does not answer. It is asked again.',
  lastKnown: 'Last known: ',
  noAnswer: 'Nothing is known of the board yet.',
  refused: (status: number) =>
    `Something between here and the board refuses (${status}). It is tried again.`,
  refusedStream:
    'As many people are looking at this board as it has room for. It is tried again in half a minute.',
  askLogin: 'Log in to see this board.',
  problems: {
    database: (events: number) =>
      events === 0
        ? 'The database cannot be written.'
        : `The database cannot be written; ${events} events wait.`,
    broker: (fault: string | null, messages: number) =>
      `${fault === null ? 'The broker is away' : `No connection to the broker: ${fault}`}${
        messages === 0 ? '' : `; ${messages} messages wait`
      }.`,
    power: 'The power supply is too weak.',
    throttled: 'The board is too hot and slows itself down.',
  },
  phases: {
    starting: 'The daemon is starting.',
    changing: 'The configuration is being changed.',
    stopping: 'The daemon is stopping.',
    running: '',
  },
  noCameras: {
    title: 'No camera yet',
    text: 'Add one to the configuration, for example',
    example: 'cameras:\n  front: { source: libcamera }',
  },
  camera: {
    online: 'online',
    offline: 'away',
    ended: 'ended',
    disabled: 'off',
    waiting: 'Waiting for the first picture…',
    detect: 'Detect',
    threshold: 'Threshold',
    thresholdHelp: 'Score from which a label counts as present',
    reset: 'As configured',
    areas: 'Zones and masks',
    rate: (fps: number) => `${fps.toFixed(fps < 10 ? 1 : 0)} fps`,
    age: (ms: number) =>
      ms < 1000 ? `${Math.round(ms)} ms old` : `${(ms / 1000).toFixed(1)} s old`,
    nothing: 'Nothing in the picture',
    absent: {
      offline: 'This camera is away',
      ended: 'This camera has shown all it had',
      disabled: 'This camera is switched off',
    },
    away: 'It is tried again by itself.',
    /** What the codes of the system mean that a camera's network may answer with. */
    reasons: {
      ECONNREFUSED: 'Nothing answers at its address',
      EHOSTUNREACH: 'There is no way to its address',
      ENETUNREACH: 'There is no way to its network',
      ETIMEDOUT: 'It does not answer in time',
      ENOTFOUND: 'Nobody knows its name in this network',
      EAI_AGAIN: 'Nobody knows its name in this network',
      ECONNRESET: 'It has hung up',
    } as Readonly<Record<string, string>>,
    alt: (name: string, labels: readonly string[]) =>
      labels.length === 0
        ? `Live picture of ${name}`
        : `Live picture of ${name}: ${labels.join(', ')}`,
    since: (text: string) => `since ${text}`,
    times: (count: number, last: string) => (count < 2 ? last : `${count} times, last ${last}`),
  },
  events: {
    none: 'Nothing was seen yet',
    noneText: 'An event appears here as soon as something has been in a picture for long enough.',
    noneFits: 'No event fits',
    noneFitsText: 'Choose another camera, label or time to see more.',
    camera: 'Camera',
    label: 'Label',
    range: 'Time',
    all: 'all',
    ranges: { day: 'Last day', week: 'Last week', any: 'Any time' },
    csv: 'Save as CSV',
    now: 'still there',
    noPicture: 'No picture was kept',
    back: 'All events',
    wrong: 'Wrong',
    wrongHelp: 'A false alarm: what looks like it in the same place is kept back.',
    isWrong: 'A false alarm. What looks like it in the same place is kept back.',
    undo: 'Undo',
    forget: 'Delete',
    forgetAsk: 'Delete this event and its picture for good?',
    score: 'Score',
    model: 'Network',
    count: 'Most at once',
    zones: 'Zones',
    track: 'The line is the way that its middle took.',
    loitering: 'stays',
    stationary: 'stands still',
    object: 'Object',
    exactly: 'More exactly',
    zone: 'Zone',
    lasted: 'Lasted',
    scores: 'Scores over time',
    missing: 'This event is not in the database any more.',
    more: 'Show older',
  },
  heat: {
    noGovernor: 'Nothing governs.',
    noTemperature: 'No temperature is known on this machine.',
    budgetName: 'Budget',
    ranges: { '1h': 'Hour', '24h': 'Day', '7d': 'Week' },
    temperature: 'Temperature',
    limit: 'limit',
    target: 'target',
    expected: 'expected',
    highest: 'at most',
    lowest: 'at least',
    degrees: (value: number) => `${value.toFixed(1)} °C`,
    now: 'now',
    headroom: 'to the limit',
    budget: 'Share of each second for inference',
    mix: 'Networks that label frames',
    ladder: 'The ladder: what accuracy costs',
    ladderText:
      'Each dot is a network this board can run. The line joins those that are worth running; the ring is what labels frames now.',
    cost: 'milliseconds a frame',
    accuracy: 'accuracy',
    noLadder: 'The ladder has not been measured on this board yet.',
    noHistory:
      'Nothing is known of this time yet. A point is kept every few seconds while the daemon runs.',
    byHand: 'By hand',
    byHandText: 'What is set here stays until it is taken back, after a restart as well.',
    pin: 'Network',
    auto: 'as the governor decides',
    limitSet: 'Never hotter than',
    limitRange: (least: number, most: number) =>
      `A limit is between ${least} and ${most} °C. Nothing was set.`,
    simulated: (board: string) => `simulated ${board}`,
    frames: (share: number) => `${Math.round(100 * share)} % of frames`,
  },
  teach: {
    title: 'Teach it a label',
    text: 'Name what is to be told, show it to the camera and hold the button; then the same place without it. Pictures that are nearly the same are left out.',
    place: 'Place',
    whole: 'The whole picture',
    label: 'What it is called',
    example: 'gate open',
    shows: 'What the camera sees now',
    with: 'It is there',
    without: 'It is not there',
    hold: 'Hold to record',
    opening: 'Getting ready …',
    held: {
      recording: 'Recording …',
      done: 'Recorded: let go, and hold again for more',
      failed: 'It has ended: let go',
    },
    hint: 'Nothing leaves the board.',
    idle: 'No picture comes from this camera now: nothing is recorded.',
    nothing: 'No picture came from this camera, so nothing was recorded.',
    gone: 'The daemon was restarted or has another configuration: what was taken until then is kept.',
    progress: (kept: number, same: number) =>
      `${kept} kept, ${same} left out as nearly the same as others`,
    pictures: (count: number) => (count === 1 ? '1 picture' : `${count} pictures`),
    recall: (share: number) => `${Math.round(share * 100)} % told by all the others`,
    others: (count: number) => `none of these: ${count === 1 ? '1 picture' : `${count} pictures`}`,
    learning: (ready: number, of: number) =>
      of === 0 ? 'Still learning.' : `Still learning: ${ready} of ${of} networks.`,
    unusable: (label: string, why: string) => `${label} is never told: ${why}`,
    unread: (why: string) => `What was taught cannot be read: ${why}`,
    sofar: 'So far:',
    undo: 'Take the last pictures back',
    undone: (count: number, labels: readonly (string | null)[]) =>
      count === 0
        ? 'There is nothing to take back.'
        : `Taken back: ${count === 1 ? '1 picture' : `${count} pictures`} of ${labels.map((label) => label ?? 'none of these').join(', ')}.`,
  },
  system: {
    doctor: 'What the doctor finds',
    fine: 'Everything is as it should be.',
    checks: (count: number) => `${count} more that are fine`,
    facts: 'At work',
    notes: 'Worth knowing',
    failing: (rule: string, channel: string, error: string) =>
      `Rule ${rule} cannot tell ${channel}: ${error}`,
    held: (topic: string, reason: string) => `The broker does not take ${topic}: ${reason}`,
    override: (key: string, value: string, configured: string | null) =>
      configured === null
        ? `${key} is set to ${value}; the file has no such camera`
        : `${key} is set to ${value}; the file says ${configured}`,
    spots: 'False alarms that are kept back',
    spot: (label: string, camera: string) => `${label} at ${camera}`,
    keptBack: (count: number) => (count === 1 ? 'kept back once' : `kept back ${count} times`),
    models: 'Networks',
    log: 'Log',
    logFilter: 'Filter the log',
    logEmpty: 'Nothing was worth a line yet.',
    logNone: 'No line fits.',
    levels: { fail: 'repair', warn: 'look at', info: 'good to know', ok: 'fine' },
    model: 'Network',
    widthAndSize: 'α / px',
    form: 'Form',
    measured: 'Measured',
    accuracy: 'Accuracy',
    runs: 'runs',
    version: 'Version',
    uptime: 'Up for',
    memory: 'Memory',
    broker: 'Broker',
    connected: 'connected',
    disconnected: 'away',
    outbox: 'Messages that wait',
    database: 'Database',
    disk: 'Room on the disk',
    gigabytes: (mb: number) =>
      mb < 1000 ? `${Math.round(mb)} MB` : `${(mb / 1000).toFixed(1)} GB`,
    writable: 'can be written',
    unwritable: 'cannot be written',
    waiting: (events: number) => `${events} events wait`,
    size: (mb: number) => `${mb.toFixed(1)} MB`,
    latency: 'A frame takes',
    power: 'Power',
    powerBad: 'too weak: use a better supply',
    powerGood: 'good',
    unknown: 'not known',
    viewers: 'Viewers',
    onlyAdmin: 'Only an administrator may see this.',
  },
  configuration: {
    values: 'What is in force',
    key: 'Key',
    value: 'Value',
    origin: 'From',
    filter: 'Filter the keys',
    check: 'Check a configuration',
    checkText:
      'Paste a file here. It is checked and thrown away: nothing is ever written from this page.',
    checkButton: 'Check',
    good: 'No problem was found.',
    reload: 'Read the files again',
    draw: 'Draw a zone or a mask',
    kinds: { zone: 'Zone', mask: 'Mask' },
    zoneName: 'Name',
    zoneExample: 'porch',
    drawText:
      'Click on the picture to set corners; two corners are a line. Copy the lines into the configuration of this camera.',
    undo: 'Take the last corner back',
    clear: 'Begin again',
    lines: 'Lines of configuration',
    copy: 'Copy',
    copied: 'Copied',
    corners: (count: number, least: number) =>
      count < least
        ? `${least - count} more corner${least - count === 1 ? '' : 's'}`
        : `${count} corners`,
    noBoxes:
      'The network that runs names whole pictures: it knows no zones, only masks. A detector knows both.',
    drawKeys:
      'Picture to draw on. Arrow keys move the cross, Enter sets a corner, Backspace takes the last one back.',
    drawFirst: 'The lines to copy appear here when there are corners enough.',
    uncopied: 'The browser does not let this page copy. Mark the lines and copy them.',
  },
  login: {
    title: 'Who are you?',
    user: 'User name',
    password: 'Password',
    enter: 'Log in',
    wrong: 'The user name or the password is wrong.',
    wait: (seconds: number) => `Too many wrong logins. Try again in ${seconds} s.`,
    leave: 'Log out',
    noUsers:
      'This page asks for a user, and none is configured. See status.users in the documentation.',
  },
};

const TREND = 0.15;

/** What is not as it should be, a sentence each. */
export function problemsOf({
  store,
  broker,
  outbox,
  undervoltage,
  throttled,
}: State): readonly string[] {
  const words = WORDS.problems;
  return [
    ...(store.writable ? [] : [words.database(store.waiting)]),
    ...(broker.connected ? [] : [words.broker(broker.fault, outbox)]),
    ...(undervoltage === true ? [words.power] : []),
    ...(throttled === true ? [words.throttled] : []),
  ];
}

/** One sentence on how things are. */
export function sentenceOf(state: State, trendCPerMinute: number | null): string {
  if (state.phase !== 'running') return WORDS.phases[state.phase];
  const parts = [cameraWords(state.cameras)];
  const isAlone = state.cameras.length === 1;
  const seen = state.cameras.flatMap(({ title, present }) => {
    const labels = listWords([...new Set(present.map(({ label }) => label))], 3);
    return labels === '' ? [] : [`${labels} ${isAlone ? 'in the picture' : `at ${title}`}`];
  });
  if (seen.length > 0) parts.push(listWords(seen, 3));
  const heat = heatWords(state, trendCPerMinute);
  if (heat !== null) parts.push(heat);
  return `${parts.join(', ')}.`;
}

function cameraWords(cameras: readonly Camera[]): string {
  if (cameras.length === 0) return WORDS.noCameras.title;
  const away = cameras.filter(({ status }) => status === 'offline');
  const count = `${cameras.length} camera${cameras.length === 1 ? '' : 's'}`;
  if (away.length === 0) return count;
  if (away.length === cameras.length) return `${count}, all away`;
  return `${count}, ${listWords(
    away.map(({ title }) => title),
    2,
  )} away`;
}

function heatWords({ temperature, governor }: State, trend: number | null): string | null {
  if (temperature === null) return null;
  const way =
    trend === null || Math.abs(trend) < TREND ? '' : trend > 0 ? ' and rising' : ' and falling';
  const degrees = `${temperature.toFixed(0)} °C${way}`;
  if (governor === null || governor.model === null) return degrees;
  const { high, low, fraction } = governor.mix;
  if (high === low || fraction >= 0.995) return `${degrees}: ${shortName(high)}`;
  if (fraction <= 0.005) return `${degrees}: ${shortName(low)}`;
  return `${degrees}: ${shortName(high)} for ${Math.round(100 * fraction)} % of frames, else ${shortName(low)}`;
}

export function listWords(words: readonly string[], most: number): string {
  const listed = words.slice(0, most);
  const more = words.length - listed.length;
  if (more > 0) return `${listed.join(', ')} and ${more} more`;
  if (listed.length < 2) return listed.join('');
  return `${listed.slice(0, -1).join(', ')} and ${listed.at(-1)}`;
}

/** Why a camera is away, as people say it, and as the system does where that is something else. */
export function reasonOf(reason: string): readonly [plain: string, exact: string | null] {
  const code = Object.keys(WORDS.camera.reasons).find((each) => reason.includes(each));
  const plain = code === undefined ? undefined : WORDS.camera.reasons[code];
  return plain === undefined ? [sentence(reason), null] : [sentence(plain), reason];
}

/** With a capital letter and a full stop. */
export function sentence(text: string): string {
  const begun = text.slice(0, 1).toUpperCase() + text.slice(1);
  return begun === '' || /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** `ssdlite_mobilenet_v2_coco_300` → `300 px`; `mobilenet_v1_0.75_192` → `0.75/192`. */
export function shortName(variant: string): string {
  const match = /(?:_(\d(?:\.\d+)?))?_(\d{2,4})$/.exec(variant);
  if (match === null) return variant;
  const [, alpha, size] = match;
  return alpha === undefined ? `${size} px` : `${alpha}/${size}`;
}

export function timeOf(iso: string | number): string {
  return new Date(iso).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
}

export function dayOf(iso: string): string {
  return new Date(iso).toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
}

export function durationOf(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${(seconds / 3600).toFixed(1)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
