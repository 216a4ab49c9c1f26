/** A command line, and what it does. */
type Example = readonly [line: string, does: string];

/** What `--help` of each command shows it with. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  '': [
    ['demo', 'see it work: nothing to set up'],
    ['setup', 'ask for everything, try it, and write the configuration'],
    ['config --check', 'find every problem of the configuration'],
  ],
  run: [
    ['run', 'with /etc/mobilenetd/config.yaml'],
    ['run --config porch.yaml', 'with another file'],
  ],
  demo: [
    ['demo', 'until Ctrl-C'],
    ['demo --for 60 --json', 'a minute, as one JSON object a line'],
  ],
  setup: [
    ['setup', 'ask for everything, and write /etc/mobilenetd/config.yaml'],
    ['setup --yes --camera libcamera --broker embedded --json', 'ask nothing, for scripts'],
  ],
  once: [
    ['once --for 10', 'ten seconds, with /etc/mobilenetd/config.yaml'],
    ['once --enough 1 --json', 'until something is seen, at most ten seconds'],
  ],
  status: [
    ['status', 'how the daemon is'],
    ['status --json', 'the whole report'],
  ],
  ctl: [
    ['ctl log-level debug', 'log more until the restart'],
    ['ctl reload', 'read the configuration again'],
  ],
  'ctl log-level': [
    ['ctl log-level', 'what is logged now'],
    ['ctl log-level debug', 'log more until the restart'],
  ],
  'ctl reload': [
    ['ctl reload', 'read the configuration again'],
    ['ctl reload --config porch.yaml', 'of the daemon that this file belongs to'],
  ],
  'ctl reset': [
    ['ctl reset', 'everything that was set at run time'],
    ['ctl reset pin', 'one of these'],
  ],
  doctor: [
    ['doctor', 'everything, the cameras too'],
    ['doctor --no-cameras', 'while the daemon has the cameras'],
  ],
  config: [
    ['config --check', 'find every problem'],
    ['config --changed', 'only what differs from the defaults'],
  ],
  'config hash-password': [
    ['config hash-password', 'ask for a password and print its hash'],
    ['config hash-password < password.txt', 'hash the first line of a file'],
  ],
  'config hash-token': [
    ['config hash-token', 'make a token, and print it with its hash'],
    ['config hash-token | tee token.txt', 'keep it in a file, too'],
  ],
  models: [
    ['models list', 'what there is, and what is installed'],
    ['models pull', 'install the default detector'],
  ],
  'models list': [
    ['models list', 'the catalogue and your own'],
    ['models list --installed', 'what is here'],
  ],
  'models labels': [
    ['models labels', 'of the configured model'],
    ['models labels mobilenet_v1_0.5_160_quant', 'of another'],
  ],
  'models pull': [
    ['models pull', 'the default detector'],
    ['models pull mobilenet_v1_0.5_160_quant', 'another model'],
  ],
  'models add': [
    ['models add birds.tflite --labels birds.txt', 'a model of your own'],
    ['models add birds.tflite --labels birds.txt --name garden', 'under another name'],
  ],
  'models remove': [
    ['models remove mobilenet_v1_0.5_160_quant', 'one model'],
    ['models remove garden', 'one of your own'],
  ],
  'models describe': [
    ['models describe --alpha 0.5 --size 160', 'layers and mult-adds of MobileNetV1'],
    ['models describe --alpha 1 --size 224 --json', 'one JSON object a layer'],
  ],
  'models inspect': [
    ['models inspect mobilenet_v1_0.5_160_quant', 'its layers and their ranges'],
    ['models inspect garden apple.jpg --wide', 'as a picture of your own uses them'],
  ],
  'models bench': [
    ['models bench', 'every installed model'],
    ['models bench --threads 1,2,4', 'with so many threads each'],
  ],
  service: [
    ['service install', 'set up the systemd service'],
    ['service uninstall', 'remove it'],
  ],
  'service install': [
    ['service install --dry-run', 'see what would be written'],
    ['service install', 'write it'],
  ],
  'service uninstall': [
    ['service uninstall --dry-run', 'see what would be removed'],
    ['service uninstall', 'remove it'],
  ],
  classify: [
    ['classify cat.jpg', 'what a picture shows'],
    ['classify *.jpg --top 1 --json', 'the best label of each, as JSON'],
  ],
  detect: [
    ['detect street.jpg', 'the objects in a picture'],
    ['detect street.jpg --threshold 0.3', 'those it is less sure of, too'],
  ],
  teach: [
    ['teach open --camera front --zone gate --for 20s', 'record it, for 20 seconds'],
    ['teach Minka --from pictures/minka --of cat', 'which cat, from a folder'],
  ],
  query: [
    ['query --since 1h', 'detections of the last hour'],
    ['query --events --since 2026-05-01 --csv > may.csv', 'events, as CSV'],
    ['query --by hour --since 1d --label person', 'how many, and how long'],
  ],
  events: [
    ['events --since 1d', 'those of the last day'],
    ['events 3f2a9c01 --open pictures', 'one event, and its pictures into a folder'],
  ],
  export: [
    ['export may.csv --since 2026-05-01 --until 2026-06-01', 'a month, as CSV'],
    ['export cats.db --label cat --pictures', 'one label, as SQLite, and its pictures'],
  ],
  wrong: [
    ['wrong 3f2a9c01', 'the first characters of an id are enough'],
    ['wrong --list', 'what is kept back, and how often'],
    ['wrong --undo 1', 'tells it again'],
  ],
  forget: [
    ['forget --before 30d', 'what is older than a month'],
    ['forget --before 1d --label person --yes', 'of one label, without a question'],
  ],
  backup: [
    ['backup /mnt/mobilenetd.db', 'copy the database while the daemon runs'],
    ['backup /mnt/backups --keep 7', 'into a folder, the newest seven'],
  ],
  notify: [
    ['notify', 'the rules, when each tells whom'],
    ['notify --test person_at_night', 'a drawn event through every channel of a rule'],
  ],
  bench: [
    ['bench', 'every stage of the frame path'],
    ['bench --threads 1 --json', 'with one thread, as JSON'],
  ],
  simulate: [
    ['simulate', 'this governor on a Pi 4 in a case'],
    ['simulate --board all --scenario sun --plot sun.svg', 'every board, and a drawing'],
  ],
  completion: [
    ['completion bash > ~/.local/share/bash-completion/completions/mobilenetd', 'for bash'],
    ['completion zsh > ~/.zfunc/_mobilenetd', 'for zsh, where ~/.zfunc is in fpath'],
  ],
};

/** The examples of a command, by its name after those above it. */
export function examplesOf(path: string): readonly Example[] {
  return EXAMPLES[path] ?? [];
}
