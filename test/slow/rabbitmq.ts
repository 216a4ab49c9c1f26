import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../free-port.js';

const run = promisify(execFile);
/** Without the wrappers around them, which insist on a user of their own. */
const PROGRAMS = '/usr/lib/rabbitmq/bin';

export const rabbitmqAvailable = existsSync(join(PROGRAMS, 'rabbitmq-server'));

/** A node of a cluster on this machine. */
export interface RabbitNode {
  readonly name: string;
  /** `127.0.0.1:port` for MQTT and for AMQP, both with TLS. */
  readonly mqtt: string;
  readonly amqp: string;
  log(): string;
  /** Starts it; it has {@link started} some time later. */
  start(): void;
  started(): boolean;
  /** As when the power is cut. */
  kill(): Promise<void>;
}

export interface RabbitCluster {
  readonly folder: string;
  readonly nodes: readonly RabbitNode[];
  /** For `rabbitmqctl`, which then speaks to that node. */
  environment(node: RabbitNode): NodeJS.ProcessEnv;
  /** Calls one of RabbitMQ's programs for a node. */
  call(node: RabbitNode, program: string, ...args: readonly string[]): Promise<string>;
  /** Resolves when so many nodes are one cluster. */
  together(count: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Prepares a cluster in a new folder, with a configuration for all nodes in which names, ports and places
 * are exchanged by `place`. Everything listens on loopback only.
 */
export async function prepareCluster(
  names: readonly string[],
  place: (node: { index: number; mqtt: number; amqp: number }) => string,
  plugins: string,
): Promise<RabbitCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-rabbit-'));
  writeFileSync(join(folder, '.erlang.cookie'), 'MOBILENETDTESTCOOKIE', { mode: 0o400 });
  writeFileSync(join(folder, 'enabled_plugins'), plugins);
  writeFileSync(join(folder, 'env'), '');
  const epmdPort = await freePort();
  const shared = {
    PATH: `${PROGRAMS}:${process.env.PATH}`,
    HOME: folder,
    LANG: 'C.UTF-8',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_CONF_ENV_FILE: join(folder, 'env'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    // As many schedulers as three nodes beside each other can use.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '+S 2:2 +SDio 2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
    // Each call of rabbitmqctl is a virtual machine of its own.
    RABBITMQ_CTL_ERL_ARGS: '+S 1:1 +SDio 1 +SDcpu 1 +A 1 +sbwt none +sbwtdcpu none +sbwtdio none',
  };
  const epmd = spawn('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], {
    stdio: 'ignore',
  });
  const processes = new Set<ChildProcess>([epmd]);
  const killAll = () => {
    for (const child of processes) killGroup(child);
  };
  process.once('exit', killAll);
  // Else a runner that loses patience would leave them behind.
  const leave = () => process.exit(143);
  process.once('SIGTERM', leave);

  const environments = new Map<RabbitNode, NodeJS.ProcessEnv>();
  const nodes: RabbitNode[] = [];
  for (const [index, name] of names.entries()) {
    const own = join(folder, name);
    mkdirSync(own);
    const ports = {
      mqtt: await freePort(),
      amqp: await freePort(),
      distribution: await freePort(),
    };
    writeFileSync(join(own, 'rabbitmq.conf'), place({ index, ...ports }));
    const environment = {
      ...shared,
      RABBITMQ_NODENAME: `${name}@localhost`,
      RABBITMQ_CONFIG_FILE: join(own, 'rabbitmq.conf'),
      RABBITMQ_GENERATED_CONFIG_DIR: join(own, 'config'),
      RABBITMQ_MNESIA_BASE: join(own, 'mnesia'),
      RABBITMQ_LOG_BASE: join(own, 'log'),
      RABBITMQ_LOGS: join(own, 'log', 'node.log'),
      RABBITMQ_PID_FILE: join(own, 'pid'),
      RABBITMQ_DIST_PORT: String(ports.distribution),
    };
    let child: ChildProcess | null = null;
    let starts = 0;
    const node: RabbitNode = {
      name,
      mqtt: `127.0.0.1:${ports.mqtt}`,
      amqp: `127.0.0.1:${ports.amqp}`,
      log: () => readFileSync(join(own, 'out'), 'utf8'),
      started: () => starts > 0 && node.log().split('completed with').length > starts,
      start() {
        starts += 1;
        const out = openSync(join(own, 'out'), 'a');
        // A group of its own: the script is not the node.
        const started = spawn(join(PROGRAMS, 'rabbitmq-server'), [], {
          env: environment,
          cwd: own,
          detached: true,
          stdio: ['ignore', out, out],
        });
        closeSync(out);
        child = started;
        processes.add(started);
      },
      async kill() {
        if (child === null) return;
        const exited = once(child, 'exit');
        killGroup(child);
        await exited;
        processes.delete(child);
        child = null;
      },
    };
    environments.set(node, environment);
    nodes.push(node);
  }

  async function call(node: RabbitNode, program: string, ...args: readonly string[]) {
    const env = environments.get(node);
    return (await run(join(PROGRAMS, program), args, { env, maxBuffer: 1e8 })).stdout;
  }

  return {
    folder,
    nodes,
    environment: (node) => ({ ...environments.get(node) }),
    call,
    async together(count) {
      // To ask a node that is only starting costs as much as it needs itself.
      while (!nodes.every((node) => node.started())) await delay(200);
      for (const node of nodes) {
        await call(node, 'rabbitmqctl', '-q', 'await_online_nodes', `${count}`);
      }
    },
    async stop() {
      for (const node of nodes) await node.kill();
      epmd.kill('SIGKILL');
      process.off('exit', killAll);
      process.off('SIGTERM', leave);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(child.spawnargs[0] === 'epmd' ? child.pid : -child.pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
