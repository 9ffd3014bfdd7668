/**
 * What a scenario asks of a client, whatever the client is: a driver carries it out in the client's own words. Everything
 * here can be said in JSON, because some clients live in another process.
 */
export interface Driver {
  readonly client: string
  /** Codecs the client can write and read where it runs. */
  readonly codecs: readonly Codec[]
  /** By scenario: why the client cannot be asked. */
  readonly lacks: Readonly<Record<string, string>>
  /** Name and version, as the client says. */
  version(): Promise<string>
  /** Sends all records, in order per partition; every one was acknowledged when it resolves. */
  produce(command: ProduceCommand): Promise<void>
  /** Reads records without a group where the client can, from all partitions of the topic, until it has `count`. */
  read(command: ReadCommand): Promise<ReadRecord[]>
  /** Enters a group and reads on until it leaves. Starts at the beginning where nothing is committed. */
  join(command: JoinCommand): Promise<Member>
  createTopic(topic: string, partitionCount: number): Promise<void>
  /** Undefined: there is no such topic. */
  partitionCount(topic: string): Promise<number | undefined>
  deleteTopic(topic: string): Promise<void>
  /** Makes the topic have that many partitions. */
  createPartitions(topic: string, partitionCount: number): Promise<void>
  setConfig(topic: string, name: string, value: string): Promise<void>
  config(topic: string, name: string): Promise<string | undefined>
  /** Undefined: it is not among the groups there are. */
  describeGroup(group: string): Promise<DescribedGroup | undefined>
  deleteGroup(group: string): Promise<void>
  /** Ends whatever is left. */
  close(): Promise<void>
}

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

export interface SentRecord {
  readonly partition: number
  readonly key: string | null
  readonly value: string
}

export interface ProduceCommand {
  readonly topic: string
  readonly codec: Codec
  readonly idempotent: boolean
  readonly records: readonly SentRecord[]
}

export interface ReadRecord extends SentRecord {
  readonly offset: number
}

export interface ReadCommand {
  readonly topic: string
  readonly count: number
  /** Undefined: from the beginning; else from the first record of each partition that is as late. */
  readonly fromTimestampMs?: number
}

export interface JoinCommand {
  readonly group: string
  readonly topic: string
  /** Static membership (KIP-345). */
  readonly instanceId?: string
  /** How long the member works on each record before it goes on. */
  readonly workMs?: number
}

export interface MemberState {
  /** What it is assigned now. */
  readonly partitions: readonly number[]
  /** How often it was told what it is assigned. */
  readonly assignmentCount: number
  /** Everything it has read. */
  readonly records: readonly ReadRecord[]
}

export interface Member {
  state(): Promise<MemberState>
  /** Commits what it has read and leaves. A static member stays known to the group. */
  leave(): Promise<void>
}

export interface DescribedGroup {
  readonly state: string
  readonly memberCount: number
}

export interface DriverOptions {
  /** `host:port` of agents. */
  readonly brokers: readonly string[]
}

export const SESSION_TIMEOUT_MS = 10_000
export const READ_TIMEOUT_MS = 60_000

export async function within<T>(what: string, timeoutMs: number, attempt: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    const found = await attempt()
    if (found !== undefined) return found
    if (performance.now() > deadlineMs) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
