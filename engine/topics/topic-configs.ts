import { HeadraceError } from '../errors.js'

/**
 * The topic configs people set, by Kafka's names, with Kafka's defaults. A name that is not here is refused when a
 * topic is created, as Kafka does; `cosmetic` ones are kept and shown, and change nothing in a system without replicas
 * and local log files.
 */
export interface TopicConfig {
  readonly type: 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list'
  readonly default: string
  readonly cosmetic: boolean
  /** Name of the cluster-wide setting in Kafka that this one takes the place of, which its tools show beside it. */
  readonly synonym?: string
  /** What tools show to people. */
  readonly documentation: string
  /** Whether a value is legal, beyond its type. */
  readonly accepts?: (value: string) => boolean
}

const oneOf =
  (...values: readonly string[]) =>
  (value: string): boolean =>
    values.includes(value)

const listOf =
  (...values: readonly string[]) =>
  (value: string): boolean =>
    value.split(',').every((item) => values.includes(item.trim()))

const atLeast =
  (minimum: number) =>
  (value: string): boolean =>
    Number(value) >= minimum

const MAX_LONG = '9223372036854775807'

export const TOPIC_CONFIGS: Readonly<Record<string, TopicConfig>> = {
  'cleanup.policy': {
    type: 'list',
    default: 'delete',
    cosmetic: false,
    synonym: 'log.cleanup.policy',
    documentation:
      "'delete' removes records by retention.ms and retention.bytes; 'compact' keeps the latest of each key, and demands keys.",
    accepts: listOf('delete', 'compact'),
  },
  'compression.type': {
    type: 'string',
    default: 'producer',
    cosmetic: true,
    synonym: 'compression.type',
    documentation: 'Record batches keep the compression of their producer, whatever is set here.',
    accepts: oneOf('producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'),
  },
  'delete.retention.ms': {
    type: 'long',
    default: '86400000',
    cosmetic: false,
    synonym: 'log.cleaner.delete.retention.ms',
    documentation: 'How long a compacted topic keeps the mark of a deleted key.',
    accepts: atLeast(0),
  },
  'file.delete.delay.ms': {
    type: 'long',
    default: '60000',
    cosmetic: true,
    synonym: 'log.segment.delete.delay.ms',
    documentation: 'Kept and shown; has no effect here, where logs are not files of an agent.',
    accepts: atLeast(0),
  },
  'flush.messages': {
    type: 'long',
    default: MAX_LONG,
    cosmetic: true,
    synonym: 'log.flush.interval.messages',
    documentation: 'Kept and shown; every acknowledged record is durable at once.',
    accepts: atLeast(1),
  },
  'flush.ms': {
    type: 'long',
    default: MAX_LONG,
    cosmetic: true,
    synonym: 'log.flush.interval.ms',
    documentation: 'Kept and shown; every acknowledged record is durable at once.',
    accepts: atLeast(0),
  },
  'follower.replication.throttled.replicas': {
    type: 'list',
    default: '',
    cosmetic: true,
    documentation: 'Kept and shown; has no effect here, where the object store replicates.',
  },
  'index.interval.bytes': {
    type: 'int',
    default: '4096',
    cosmetic: true,
    synonym: 'log.index.interval.bytes',
    documentation: 'Kept and shown; has no effect here, where logs are not files of an agent.',
    accepts: atLeast(0),
  },
  'leader.replication.throttled.replicas': {
    type: 'list',
    default: '',
    cosmetic: true,
    documentation: 'Kept and shown; has no effect here, where the object store replicates.',
  },
  'local.retention.bytes': {
    type: 'long',
    default: '-2',
    cosmetic: true,
    synonym: 'log.local.retention.bytes',
    documentation: 'Kept and shown; has no effect here, where logs are not files of an agent.',
    accepts: atLeast(-2),
  },
  'local.retention.ms': {
    type: 'long',
    default: '-2',
    cosmetic: true,
    synonym: 'log.local.retention.ms',
    documentation: 'Kept and shown; has no effect here, where logs are not files of an agent.',
    accepts: atLeast(-2),
  },
  'max.compaction.lag.ms': {
    type: 'long',
    default: MAX_LONG,
    cosmetic: true,
    synonym: 'log.cleaner.max.compaction.lag.ms',
    documentation: 'Kept and shown; has no effect here.',
    accepts: atLeast(1),
  },
  'max.message.bytes': {
    type: 'int',
    default: '1048588',
    cosmetic: false,
    synonym: 'message.max.bytes',
    documentation: 'Largest record batch the topic takes, its compression included.',
    accepts: atLeast(0),
  },
  'message.downconversion.enable': {
    type: 'boolean',
    default: 'true',
    cosmetic: true,
    synonym: 'log.message.downconversion.enable',
    documentation: 'Kept and shown; old record formats are not served.',
  },
  'message.format.version': {
    type: 'string',
    default: '3.0-IV1',
    cosmetic: true,
    synonym: 'log.message.format.version',
    documentation: 'Kept and shown; records have the one current format.',
  },
  'message.timestamp.after.max.ms': {
    type: 'long',
    default: MAX_LONG,
    cosmetic: true,
    synonym: 'log.message.timestamp.after.max.ms',
    documentation: 'Kept and shown; any timestamp is taken.',
    accepts: atLeast(0),
  },
  'message.timestamp.before.max.ms': {
    type: 'long',
    default: MAX_LONG,
    cosmetic: true,
    synonym: 'log.message.timestamp.before.max.ms',
    documentation: 'Kept and shown; any timestamp is taken.',
    accepts: atLeast(0),
  },
  'message.timestamp.difference.max.ms': {
    type: 'long',
    default: MAX_LONG,
    cosmetic: true,
    synonym: 'log.message.timestamp.difference.max.ms',
    documentation: 'Kept and shown; any timestamp is taken.',
    accepts: atLeast(0),
  },
  'message.timestamp.type': {
    type: 'string',
    default: 'CreateTime',
    cosmetic: false,
    synonym: 'log.message.timestamp.type',
    documentation:
      "'CreateTime' keeps the producer's timestamps; 'LogAppendTime' gives a batch the time at which it was written.",
    accepts: oneOf('CreateTime', 'LogAppendTime'),
  },
  'min.cleanable.dirty.ratio': {
    type: 'double',
    default: '0.5',
    cosmetic: false,
    synonym: 'log.cleaner.min.cleanable.ratio',
    documentation: 'Share of a partition that must be new before it is compacted by key again.',
    accepts: (value) => Number(value) >= 0 && Number(value) <= 1,
  },
  'min.compaction.lag.ms': {
    type: 'long',
    default: '0',
    cosmetic: false,
    synonym: 'log.cleaner.min.compaction.lag.ms',
    documentation: 'Records younger than this are not compacted by key.',
    accepts: atLeast(0),
  },
  'min.insync.replicas': {
    type: 'int',
    default: '1',
    cosmetic: true,
    synonym: 'min.insync.replicas',
    documentation: 'Kept and shown; has no effect here, where the object store replicates.',
    accepts: atLeast(1),
  },
  preallocate: {
    type: 'boolean',
    default: 'false',
    cosmetic: true,
    synonym: 'log.preallocate',
    documentation: 'Kept and shown; has no effect here, where logs are not files of an agent.',
  },
  'remote.storage.enable': {
    type: 'boolean',
    default: 'false',
    cosmetic: true,
    documentation: 'Kept and shown; all records are in the object store anyway.',
  },
  'retention.bytes': {
    type: 'long',
    default: '-1',
    cosmetic: false,
    synonym: 'log.retention.bytes',
    documentation: 'A partition that holds more loses its oldest records; -1 for no limit.',
    accepts: atLeast(-1),
  },
  'retention.ms': {
    type: 'long',
    default: '604800000',
    cosmetic: false,
    synonym: 'log.retention.ms',
    documentation: 'Older records are removed; -1 keeps them for ever.',
    accepts: atLeast(-1),
  },
  'segment.bytes': {
    type: 'int',
    default: '1073741824',
    cosmetic: true,
    synonym: 'log.segment.bytes',
    documentation: 'Kept and shown; has no effect here, where logs are not files of an agent.',
    accepts: atLeast(14),
  },
  'segment.index.bytes': {
    type: 'int',
    default: '10485760',
    cosmetic: true,
    synonym: 'log.index.size.max.bytes',
    documentation: 'Kept and shown; has no effect here, where logs are not files of an agent.',
    accepts: atLeast(4),
  },
  'segment.jitter.ms': {
    type: 'long',
    default: '0',
    cosmetic: true,
    synonym: 'log.roll.jitter.ms',
    documentation: 'Kept and shown; has no effect here, where logs are not files of an agent.',
    accepts: atLeast(0),
  },
  'segment.ms': {
    type: 'long',
    default: '604800000',
    cosmetic: true,
    synonym: 'log.roll.ms',
    documentation: 'Kept and shown; has no effect here, where logs are not files of an agent.',
    accepts: atLeast(1),
  },
  'unclean.leader.election.enable': {
    type: 'boolean',
    default: 'false',
    cosmetic: true,
    synonym: 'unclean.leader.election.enable',
    documentation: 'Kept and shown; has no effect here, where the object store replicates.',
  },
}

const INTEGER_RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  short: [-(2n ** 15n), 2n ** 15n - 1n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
}

/** @throws CONFIG_INVALID naming the config, the value and the topic config's rule it breaks. */
export function checkTopicConfigs(configs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(configs)) {
    const config = TOPIC_CONFIGS[name]
    if (config === undefined) {
      throw new HeadraceError('CONFIG_INVALID', 'never', `unknown topic config name: ${name}`)
    }
    if (!hasType(config.type, value) || config.accepts?.(value) === false) {
      throw new HeadraceError(
        'CONFIG_INVALID',
        'never',
        `invalid value ${JSON.stringify(value)} for topic config ${name}`,
      )
    }
  }
}

/** Whether `cleanup.policy` names the policy. */
export function hasCleanupPolicy(configs: Readonly<Record<string, string>>, policy: 'delete' | 'compact'): boolean {
  const value = configs['cleanup.policy']
  if (value === undefined) return policy === 'delete'
  return value.split(',').some((item) => item.trim() === policy)
}

/** Whether records get the time at which they were written. */
export function hasLogAppendTime(configs: Readonly<Record<string, string>>): boolean {
  return configs['message.timestamp.type'] === 'LogAppendTime'
}

/** The value of a numeric config as the topic has it, or the default given. */
export function numericConfig(configs: Readonly<Record<string, string>>, name: string, otherwise: number): number {
  const value = configs[name]
  return value === undefined ? otherwise : Number(value)
}

function hasType(type: TopicConfig['type'], value: string): boolean {
  if (type === 'boolean') return value === 'true' || value === 'false'
  if (type === 'double') return value.trim() !== '' && Number.isFinite(Number(value))
  const range = INTEGER_RANGES[type]
  if (range === undefined) return true
  if (!/^-?\d{1,19}$/.test(value)) return false
  const integer = BigInt(value)
  return integer >= range[0] && integer <= range[1]
}
