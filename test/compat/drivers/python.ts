import { fileURLToPath } from 'node:url'
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

/** Where Debian's packages are installed; a `python3` found first on the PATH may be another. */
const PYTHON = process.env['HEADRACE_TEST_PYTHON'] || '/usr/bin/python3'

export interface PythonClient {
  readonly client: string
  readonly script: string
  readonly codecs: readonly Codec[]
  readonly lacks: Readonly<Record<string, string>>
}

export const confluentKafka: PythonClient = {
  client: 'confluent-kafka (Python)',
  script: 'confluent_kafka_client.py',
  codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  lacks: { 'group-deletion': 'version 1.7 cannot delete groups' },
}

export const kafkaPython: PythonClient = {
  client: 'kafka-python',
  script: 'kafka_python_client.py',
  codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  lacks: {
    'static-membership': 'version 2.0 has no group instance ids',
    idempotence: 'version 2.0 has no idempotent producer',
  },
}

/** A Python client: a script beside the suite speaks for it. */
export class PythonDriver implements Driver {
  readonly client: string
  readonly codecs: readonly Codec[]
  readonly lacks: Readonly<Record<string, string>>
  readonly #process: JsonLinesProcess
  #memberCount = 0

  constructor({ client, codecs, lacks, script }: PythonClient, { brokers }: DriverOptions) {
    this.client = client
    this.codecs = codecs
    this.lacks = lacks
    const path = fileURLToPath(new URL(`../../../../test/compat/drivers/${script}`, import.meta.url))
    this.#process = new JsonLinesProcess(PYTHON, ['-u', path, brokers.join(','), `${SESSION_TIMEOUT_MS}`])
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
