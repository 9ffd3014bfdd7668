import type {
  Codec,
  DescribedGroup,
  Driver,
  DriverOptions,
  JoinCommand,
  Member,
  MemberState,
  ProduceCommand,
  ReadCommand,
  ReadRecord,
} from '../driver.js'
import { SESSION_TIMEOUT_MS } from '../driver.js'
import { JsonLinesProcess } from './json-lines.js'

/** A client whose program speaks for it. */
export interface JsonLinesClient {
  readonly client: string
  readonly codecs: readonly Codec[]
  readonly lacks: Readonly<Record<string, string>>
  /** The program and its first arguments; brokers and the session's length come behind them. */
  readonly command: readonly [string, ...string[]]
}

/** A client in another process, in any language: each of the driver's calls is a line of JSON there and back. */
export class JsonLinesDriver implements Driver {
  readonly client: string
  readonly codecs: readonly Codec[]
  readonly lacks: Readonly<Record<string, string>>
  readonly #process: JsonLinesProcess
  #memberCount = 0

  constructor({ client, codecs, lacks, command: [program, ...args] }: JsonLinesClient, { brokers }: DriverOptions) {
    this.client = client
    this.codecs = codecs
    this.lacks = lacks
    this.#process = new JsonLinesProcess(program, [...args, brokers.join(','), `${SESSION_TIMEOUT_MS}`])
  }

  version(): Promise<string> {
    return this.#process.call('version')
  }

  produce(command: ProduceCommand): Promise<void> {
    return this.#process.call('produce', command)
  }

  read(command: ReadCommand): Promise<ReadRecord[]> {
    return this.#process.call('read', command)
  }

  async join(command: JoinCommand): Promise<Member> {
    this.#memberCount += 1
    const member = `${this.#memberCount}`
    await this.#process.call('join', { member, ...command })
    return {
      state: () => this.#process.call<MemberState>('state', { member }),
      leave: () => this.#process.call('leave', { member }),
    }
  }

  createTopic(topic: string, partitionCount: number): Promise<void> {
    return this.#process.call('create_topic', { topic, partitionCount })
  }

  partitionCount(topic: string): Promise<number | undefined> {
    return this.#process.call('partition_count', { topic })
  }

  deleteTopic(topic: string): Promise<void> {
    return this.#process.call('delete_topic', { topic })
  }

  createPartitions(topic: string, partitionCount: number): Promise<void> {
    return this.#process.call('create_partitions', { topic, partitionCount })
  }

  setConfig(topic: string, name: string, value: string): Promise<void> {
    return this.#process.call('set_config', { topic, name, value })
  }

  config(topic: string, name: string): Promise<string | undefined> {
    return this.#process.call('config', { topic, name })
  }

  describeGroup(group: string): Promise<DescribedGroup | undefined> {
    return this.#process.call('describe_group', { group })
  }

  deleteGroup(group: string): Promise<void> {
    return this.#process.call('delete_group', { group })
  }

  close(): Promise<void> {
    return this.#process.end()
  }
}
