import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** What the speed of a network depends on, and whether its sums can be trusted. */
export interface Processor {
  readonly arch: string;
  /** As the kernel names it, e.g. `AMD EPYC` or `Cortex-A72 (0x41 0xd08)`. */
  readonly model: string;
  readonly cores: number;
  /** Of the instruction sets that onnxruntime's integer kernels look for, those that are there. */
  readonly features: readonly string[];
  /**
   * True where a kernel may add two products of uint8 and int8 in 16 bits, which saturates: x64
   * without VNNI. Also where an x64's features are unknown.
   */
  readonly saturates: boolean;
}

const FEATURES = ['avx2', 'avx512bw', 'avx_vnni', 'avx512_vnni', 'asimd', 'asimddp', 'i8mm'];

/** The cores of Raspberry Pi boards and others of their kind, by part number (implementer ARM, 0x41). */
const ARM_CORES: Readonly<Record<string, string>> = {
  '0xd03': 'Cortex-A53',
  '0xd04': 'Cortex-A35',
  '0xd05': 'Cortex-A55',
  '0xd08': 'Cortex-A72',
  '0xd0b': 'Cortex-A76',
};

/**
 * @param arch as Node names it
 * @param cpuinfo the text of /proc/cpuinfo; null where there is none
 * @param cores that this process may use
 */
export function describeProcessor(arch: string, cpuinfo: string | null, cores: number): Processor {
  const field = (name: string) =>
    new RegExp(`^${name}\\s*:\\s*(.*)$`, 'mi').exec(cpuinfo ?? '')?.[1]?.trim() ?? null;
  const present = new Set((field('flags') ?? field('Features') ?? '').split(/\s+/));
  const features = FEATURES.filter((feature) => present.has(feature));
  const part = field('CPU part');
  const arm = part && `${ARM_CORES[part] ?? 'ARM'} (${field('CPU implementer')} ${part})`;
  return {
    arch,
    model: field('model name') ?? arm ?? 'unknown',
    cores,
    features,
    saturates: arch === 'x64' && !features.some((feature) => feature.endsWith('vnni')),
  };
}

let present: Processor | null = null;

/** The processor this process runs on; read once. */
export function thisProcessor(): Processor {
  present ??= describeProcessor(process.arch, readCpuinfo(), availableParallelism());
  return present;
}

function readCpuinfo(): string | null {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    // Not Linux, or hidden: what is not known is taken to saturate.
    return null;
  }
}
