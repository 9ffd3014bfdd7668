import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PlacementStrategy } from '../../engine/cluster/placement.js'
import { AGENT_ROLES, type AgentRole } from '../../engine/cluster/roles.js'
import { ZoneMap } from '../../engine/cluster/zone-map.js'
import { HeadraceError } from '../../engine/errors.js'
import type { HostPort } from './host-port.js'
import { findAdvertiseConflict, findListenConflict, joinListeners, type ListenerConfig } from './listeners.js'
import type { ParsedOptions } from './settings.js'
import { formatBytes } from './units.js'

/** What an agent runs with: every setting decided, units in the names. Immutable. */
export interface AgentConfig {
  /** Never empty; the first one's address is the agent's default. */
  readonly listeners: readonly ListenerConfig[]
  /** Null: no HTTP. */
  readonly http: HostPort | null
  readonly zone: string | null
  readonly zoneMap: ZoneMap
  readonly placement: PlacementStrategy
  /** URL; may carry credentials, see `withoutCredentials`. */
  readonly objectStore: string
  /** URL; may carry credentials, see `withoutCredentials`. */
  readonly catalog: string
  readonly flushIntervalMs: number
  readonly flushBytes: number
  readonly workerCount: number
  /** Divided by `planMemory` of the engine. */
  readonly memoryBytes: number
  readonly messageBytesMax: number
  readonly requestBytesMax: number
  readonly commitAgeMaxMs: number
  readonly autoCreateTopics: boolean
  readonly defaultPartitionCount: number
  readonly groupInitialRebalanceDelayMs: number
  readonly groupOffsetsRetentionMs: number
  readonly roles: readonly AgentRole[]
  /** Null: for ever. */
  readonly retentionTimeMs: number | null
  /** Null: without limit. */
  readonly retentionBytes: number | null
  readonly retentionIntervalMs: number
  readonly producerIdExpirationMs: number
  readonly compactionIntervalMs: number
  readonly compactionDelayMs: number
  readonly compactionFanIn: number
  readonly compactionBytes: number
  readonly deletionGraceMs: number
  readonly heartbeatIntervalMs: number
  readonly shutdownTimeoutMs: number
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
export type LogFormat = 'json' | 'pretty'

/** What defaults depend on beside other settings. */
export interface Surroundings {
  readonly directory: string
  readonly coreCount: number
  readonly stderrIsTerminal: boolean
}

export function processSurroundings(): Surroundings {
  return {
    directory: process.cwd(),
    coreCount: availableParallelism(),
    stderrIsTerminal: process.stderr.isTTY === true,
  }
}

const MIB = 2 ** 20
const DAY_MS = 86_400_000
const DEFAULT_LISTEN = [{ name: null, host: '127.0.0.1', port: 9092 }]

export function withDefaults(options: ParsedOptions, surroundings: Surroundings): AgentConfig {
  const data = join(surroundings.directory, 'headrace-data')
  const objectStore = options.objectStore ?? pathToFileURL(join(data, 'objects')).href
  const memoryBytes = options.memory ?? 512 * MIB
  const flushBytes = options.flushBytes ?? Math.min(8 * MIB, memoryShare(memoryBytes))
  const requestBytesMax = options.requestBytesMax ?? Math.min(100 * MIB, memoryShare(memoryBytes))
  return {
    listeners: joinListeners(options.listen ?? DEFAULT_LISTEN, options.advertise ?? []),
    http: options.http === undefined ? { host: '127.0.0.1', port: 9080 } : options.http,
    zone: options.zone ?? null,
    zoneMap: options.zoneMap ?? ZoneMap.parse(''),
    placement: options.placement ?? 'consistent-hash',
    objectStore,
    // A plain path behind the scheme, unlike file://, which is percent-encoded.
    catalog: options.catalog ?? `sqlite://${join(data, 'catalog.db')}`,
    // An S3 request costs money, so a segment waits for company; a directory's does not.
    flushIntervalMs: options.flushInterval ?? (/^(file|memory):/.test(objectStore) ? 10 : 250),
    flushBytes,
    workerCount: options.workers ?? Math.max(1, surroundings.coreCount - 1),
    memoryBytes,
    messageBytesMax: options.messageBytesMax ?? Math.min(1_048_588, requestBytesMax),
    requestBytesMax,
    commitAgeMaxMs: options.commitAgeMax ?? 600_000,
    autoCreateTopics: options.autoCreateTopics ?? true,
    defaultPartitionCount: options.defaultPartitions ?? 1,
    groupInitialRebalanceDelayMs: options.groupInitialRebalanceDelay ?? 0,
    groupOffsetsRetentionMs: options.groupOffsetsRetention ?? 7 * DAY_MS,
    roles: options.roles ?? AGENT_ROLES,
    retentionTimeMs: options.retentionTime === undefined ? 7 * DAY_MS : options.retentionTime,
    retentionBytes: options.retentionBytes ?? null,
    retentionIntervalMs: options.retentionInterval ?? 300_000,
    producerIdExpirationMs: options.producerIdExpiration ?? DAY_MS,
    compactionIntervalMs: options.compactionInterval ?? 10_000,
    compactionDelayMs: options.compactionDelay ?? 120_000,
    compactionFanIn: options.compactionFanIn ?? 32,
    compactionBytes: options.compactionBytes ?? 512 * MIB,
    deletionGraceMs: options.deletionGrace ?? 300_000,
    heartbeatIntervalMs: options.heartbeatInterval ?? 3_000,
    shutdownTimeoutMs: options.shutdownTimeout ?? 30_000,
    logLevel: options.logLevel ?? 'info',
    logFormat: options.logFormat ?? (surroundings.stderrIsTerminal ? 'pretty' : 'json'),
  }
}

/** A setting that is fine alone but not beside the others: which one, and what to do. */
export interface Conflict {
  readonly key: 'listen' | 'advertise' | 'flushBytes' | 'requestBytesMax' | 'messageBytesMax'
  readonly expected: string
}

export function findConflict(config: AgentConfig, options: ParsedOptions): Conflict | undefined {
  const { listen = DEFAULT_LISTEN, advertise = [] } = options
  const listenConflict = findListenConflict(listen)
  if (listenConflict !== undefined) return { key: 'listen', expected: listenConflict }
  const advertiseConflict = findAdvertiseConflict(listen, advertise)
  if (advertiseConflict !== undefined) return { key: 'advertise', expected: advertiseConflict }
  const atMost = `at most 1/8 of memory (${formatBytes(config.memoryBytes)}): lower it or raise memory`
  if (config.flushBytes > memoryShare(config.memoryBytes)) return { key: 'flushBytes', expected: atMost }
  if (config.requestBytesMax > memoryShare(config.memoryBytes)) return { key: 'requestBytesMax', expected: atMost }
  if (config.messageBytesMax > config.requestBytesMax) {
    const request = formatBytes(config.requestBytesMax)
    return { key: 'messageBytesMax', expected: `at most request-bytes-max (${request}): lower it or raise that` }
  }
  return undefined
}

/**
 * What one segment, or one request, may take of the memory: `planMemory` gives arenas 30 % and arrived frames 15 %, and
 * two segments must fit the arenas, one request the frames.
 */
function memoryShare(memoryBytes: number): number {
  return Math.floor(memoryBytes / 8)
}

const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)([^\s/?#@"']*)@/gi
const SECRET_PARAMETER = /([?&][^=&\s"']*(?:password|secret|token|credential|access-?key)[^=&\s"']*=)[^&#\s"']*/gi

/** Text with what may be a password in its URLs replaced: the user stays, so that one sees who was refused. */
export function withoutCredentials(text: string): string {
  return text
    .replace(USER_INFO, (_, scheme: string, user: string) => `${scheme}${user.replace(/:.*/s, ':***')}@`)
    .replace(SECRET_PARAMETER, '$1***')
}

/** One line, whatever names and values it repeats. */
export function configError(message: string, cause?: unknown): HeadraceError {
  const line = withoutCredentials(message).replaceAll(/\s*[\n\r]\s*/g, ' ')
  return new HeadraceError('CONFIG_INVALID', 'never', line, { cause })
}
