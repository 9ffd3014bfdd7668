import { z } from 'zod'
import { MEMORY_BYTES_MIN } from '../../engine/memory-plan.js'
import {
  addresses,
  addressOrOff,
  bytes,
  bytesOrUnlimited,
  choice,
  count,
  duration,
  durationOrUnlimited,
  flag,
  name,
  roles,
  url,
  zoneMap,
} from './values.js'

const GIB = 2 ** 30
const SECOND_MS = 1_000
const MINUTE_MS = 60_000

/** A setting as help and documentation show it. Its names are all derived from its key, the name in code. */
export interface Setting {
  readonly group: SettingGroup
  /** What stands behind the flag in help: `--flush-bytes <size>`. */
  readonly placeholder: string
  /** The default as text. Where it depends on other settings it says so; `defaults.ts` computes it. */
  readonly defaultText: string
  readonly description: string
}

export type SettingGroup =
  | 'Network'
  | 'Storage'
  | 'Write path'
  | 'Topics'
  | 'Consumer groups'
  | 'Background work'
  | 'Process'

/** The one schema: every setting, by its name in code. */
export const optionsSchema = z.strictObject({
  listen: addresses().optional(),
  advertise: addresses({ min: 1 }).optional(),
  http: addressOrOff().optional(),
  zone: name().optional(),
  zoneMap: zoneMap().optional(),
  placement: choice(['consistent-hash', 'single-agent']).optional(),
  objectStore: url(
    ['file', 's3', 'memory'],
    'file:///var/lib/headrace/objects, s3://bucket/prefix or memory://',
  ).optional(),
  catalog: url(
    ['sqlite', 'mysql'],
    'sqlite:///var/lib/headrace/catalog.db or mysql://user:password@host/database',
  ).optional(),
  roles: roles().optional(),
  flushInterval: duration({ min: 1, max: MINUTE_MS }).optional(),
  flushBytes: bytes({ min: 64 * 1024, max: GIB }).optional(),
  workers: count({ min: 1, max: 256 }).optional(),
  memory: bytes({ min: MEMORY_BYTES_MIN, max: 1024 * GIB }).optional(),
  messageBytesMax: bytes({ min: 1024, max: GIB }).optional(),
  requestBytesMax: bytes({ min: 64 * 1024, max: GIB }).optional(),
  commitAgeMax: duration({ min: 10 * SECOND_MS, max: 1440 * MINUTE_MS }).optional(),
  autoCreateTopics: flag().optional(),
  defaultPartitions: count({ min: 1, max: 10_000 }).optional(),
  groupInitialRebalanceDelay: duration({ min: 0, max: 10 * MINUTE_MS }).optional(),
  groupOffsetsRetention: duration({ min: MINUTE_MS, max: 3650 * 1440 * MINUTE_MS }).optional(),
  retentionTime: durationOrUnlimited({ min: SECOND_MS, max: 36500 * 1440 * MINUTE_MS }).optional(),
  retentionBytes: bytesOrUnlimited({ min: 0, max: 2 ** 52 }).optional(),
  retentionInterval: duration({ min: 100, max: 1440 * MINUTE_MS }).optional(),
  producerIdExpiration: duration({ min: MINUTE_MS, max: 3650 * 1440 * MINUTE_MS }).optional(),
  compactionInterval: duration({ min: 100, max: 1440 * MINUTE_MS }).optional(),
  compactionDelay: duration({ min: 0, max: 1440 * MINUTE_MS }).optional(),
  compactionFanIn: count({ min: 2, max: 256 }).optional(),
  compactionBytes: bytes({ min: 1024 * 1024, max: 16 * GIB }).optional(),
  deletionGrace: duration({ min: SECOND_MS, max: 30 * 1440 * MINUTE_MS }).optional(),
  heartbeatInterval: duration({ min: 100, max: MINUTE_MS }).optional(),
  shutdownTimeout: duration({ min: 0, max: 60 * MINUTE_MS }).optional(),
  logLevel: choice(['debug', 'info', 'warn', 'error', 'silent']).optional(),
  logFormat: choice(['json', 'pretty']).optional(),
})

/** Settings as they are written in code: text with units, or numbers (milliseconds, bytes), by their names in code. */
export type AgentOptions = z.input<typeof optionsSchema>
export type ParsedOptions = z.output<typeof optionsSchema>
export type SettingKey = keyof AgentOptions

export const settings: Readonly<Record<SettingKey, Setting>> = {
  listen: {
    group: 'Network',
    placeholder: '[name://]host:port,...',
    defaultText: '127.0.0.1:9092',
    description: 'where the Kafka listeners bind; port 0 takes a free one',
  },
  advertise: {
    group: 'Network',
    placeholder: '[name://]host:port,...',
    defaultText: 'the bound address; the host name when bound to all',
    description: 'the address clients are told to connect to, by the listener they came in by',
  },
  http: {
    group: 'Network',
    placeholder: 'host:port|off',
    defaultText: '127.0.0.1:9080',
    description: 'where health, readiness and metrics are served',
  },
  zone: {
    group: 'Network',
    placeholder: 'name',
    defaultText: 'none',
    description: 'availability zone of this agent; clients that name the same zone are sent here',
  },
  zoneMap: {
    group: 'Network',
    placeholder: 'cidr=zone,...',
    defaultText: 'none',
    description: 'zones of clients that do not name theirs in client.id, by their address',
  },
  placement: {
    group: 'Network',
    placeholder: 'strategy',
    defaultText: 'consistent-hash',
    description: 'which agent a client is sent to for a partition: consistent-hash, or single-agent for all of them',
  },
  objectStore: {
    group: 'Storage',
    placeholder: 'url',
    defaultText: 'file://<cwd>/headrace-data/objects',
    description: 'where the records live: file://, s3:// or memory://',
  },
  catalog: {
    group: 'Storage',
    placeholder: 'url',
    defaultText: 'sqlite://<cwd>/headrace-data/catalog.db',
    description: 'where topics, offsets and segments are recorded: sqlite:// or mysql://',
  },
  roles: {
    group: 'Process',
    placeholder: 'role,...',
    defaultText: 'produce,fetch,jobs',
    description: 'what the agent does: takes records (produce), gives records (fetch), background work (jobs)',
  },
  flushInterval: {
    group: 'Write path',
    placeholder: 'duration',
    defaultText: '250ms; 10ms on file and memory stores',
    description: 'a segment is written this long after its first batch, at the latest',
  },
  flushBytes: {
    group: 'Write path',
    placeholder: 'size',
    defaultText: '8MiB, at most 1/8 of memory',
    description: 'a segment is written when it holds this much, at the latest',
  },
  workers: {
    group: 'Write path',
    placeholder: 'count',
    defaultText: 'CPU cores - 1, at least 1',
    description: 'threads that validate, compress and upload segments',
  },
  memory: {
    group: 'Write path',
    placeholder: 'size',
    defaultText: '512MiB',
    description: 'budget for requests, segments and the read cache; clients wait when it is used up',
  },
  messageBytesMax: {
    group: 'Write path',
    placeholder: 'size',
    defaultText: '1048588',
    description: 'largest record batch accepted where its topic does not say otherwise',
  },
  requestBytesMax: {
    group: 'Write path',
    placeholder: 'size',
    defaultText: '100MiB, at most 1/8 of memory',
    description: 'largest request accepted; a connection that sends more is closed',
  },
  commitAgeMax: {
    group: 'Write path',
    placeholder: 'duration',
    defaultText: '10m',
    description: 'a segment older than this is not committed any more; the same on every agent',
  },
  autoCreateTopics: {
    group: 'Topics',
    placeholder: 'true|false',
    defaultText: 'true',
    description: 'create unknown topics when a client uses them',
  },
  defaultPartitions: {
    group: 'Topics',
    placeholder: 'count',
    defaultText: '1',
    description: 'partitions of a topic whose creator does not say',
  },
  groupInitialRebalanceDelay: {
    group: 'Consumer groups',
    placeholder: 'duration',
    defaultText: '0ms',
    description: 'how long the first rebalance of a group waits for more members to come',
  },
  groupOffsetsRetention: {
    group: 'Consumer groups',
    placeholder: 'duration',
    defaultText: '7d',
    description: 'committed offsets that no consumer uses are forgotten after this long',
  },
  retentionTime: {
    group: 'Background work',
    placeholder: 'duration|unlimited',
    defaultText: '7d',
    description: 'how long records stay where their topic has no retention.ms',
  },
  retentionBytes: {
    group: 'Background work',
    placeholder: 'size|unlimited',
    defaultText: 'unlimited',
    description: 'stored bytes a partition keeps at least where its topic has no retention.bytes; older ones go',
  },
  retentionInterval: {
    group: 'Background work',
    placeholder: 'duration',
    defaultText: '5m',
    description: 'how often expired, deleted and trimmed data is looked for',
  },
  producerIdExpiration: {
    group: 'Background work',
    placeholder: 'duration',
    defaultText: '1d',
    description: 'an idempotent producer that has been silent this long is forgotten',
  },
  compactionInterval: {
    group: 'Background work',
    placeholder: 'duration',
    defaultText: '10s',
    description: 'how often segments to compact are looked for, in the catalog',
  },
  compactionDelay: {
    group: 'Background work',
    placeholder: 'duration',
    defaultText: '2m',
    description: 'younger segments are not compacted: readers at the end of the log have them in memory',
  },
  compactionFanIn: {
    group: 'Background work',
    placeholder: 'count',
    defaultText: '32',
    description: 'segments of one level that are merged into one of the next',
  },
  compactionBytes: {
    group: 'Background work',
    placeholder: 'size',
    defaultText: '512MiB',
    description:
      'size of a merged segment that is not merged further; with this much to merge no more segments are awaited',
  },
  deletionGrace: {
    group: 'Background work',
    placeholder: 'duration',
    defaultText: '5m',
    description: 'an object without live data is deleted this much later; longer than any read takes',
  },
  heartbeatInterval: {
    group: 'Process',
    placeholder: 'duration',
    defaultText: '3s',
    description: 'how often the agent renews its registration in the catalog',
  },
  shutdownTimeout: {
    group: 'Process',
    placeholder: 'duration',
    defaultText: '30s',
    description: 'how long a stopping agent may take to finish what it has accepted',
  },
  logLevel: {
    group: 'Process',
    placeholder: 'level',
    defaultText: 'info',
    description: 'debug, info, warn, error or silent',
  },
  logFormat: {
    group: 'Process',
    placeholder: 'format',
    defaultText: 'pretty on a terminal, else json',
    description: 'json or pretty; the log goes to stderr',
  },
}

export const settingKeys = Object.keys(settings) as readonly SettingKey[]

/** `flushInterval` -> `flush-interval`: its name in a config file, and behind `--` as a flag. */
export function kebabName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** `flushInterval` -> `HEADRACE_FLUSH_INTERVAL`. */
export function envName(key: string): string {
  return `HEADRACE_${kebabName(key).replaceAll('-', '_').toUpperCase()}`
}
