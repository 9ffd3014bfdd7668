import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { runKcat } from '../../support/kcat.js'
import {
  CODECS,
  type Driver,
  type DriverOptions,
  type JoinCommand,
  type Member,
  type MemberState,
  type ProduceCommand,
  type ReadCommand,
  type ReadRecord,
  SESSION_TIMEOUT_MS,
} from '../driver.js'

/** Key and value after the partition and offset; none of them has a tab in it here. */
const FORMAT = '%p\\t%o\\t%K\\t%k\\t%s\\n'
const NO_ADMIN = 'the command has no admin requests'
const BIG_MESSAGE_BYTES = 16 << 20

/** kcat: librdkafka's C API as a command. Each command is a process. */
export class KcatDriver implements Driver {
  readonly client = 'kcat'
  readonly codecs = CODECS
  readonly lacks = {
    'admin-round-trip': NO_ADMIN,
    'topic-settings': NO_ADMIN,
    'group-tools': NO_ADMIN,
    'group-deletion': NO_ADMIN,
  }
  readonly #brokers: string
  readonly #members = new Set<ChildProcess>()

  constructor({ brokers }: DriverOptions) {
    this.#brokers = brokers.join(',')
  }

  async version(): Promise<string> {
    const text = (await runKcat(['-V'], { brokers: this.#brokers })).toString()
    const [, kcat = '?', librdkafka = '?'] = /Version (\S+) .*librdkafka (\S+)/s.exec(text) ?? []
    return `kcat ${kcat} (librdkafka ${librdkafka})`
  }

  async produce({ topic, codec, idempotent, records }: ProduceCommand): Promise<void> {
    const partitions = new Set(records.map(({ partition }) => partition))
    const properties = [`enable.idempotence=${idempotent}`, `message.max.bytes=${BIG_MESSAGE_BYTES}`, 'acks=all']
    for (const partition of partitions) {
      const lines = records
        .filter((record) => record.partition === partition)
        .map(({ key, value }) => `${key ?? ''}\t${value}\n`)
      // It takes the loss of all connections for its end unless told to go on.
      const args = ['-P', '-E', '-t', topic, '-p', `${partition}`, '-K', '\t', '-Z', '-z', codec]
      await runKcat([...args, ...asFlags(properties)], { brokers: this.#brokers, input: lines.join('') })
    }
  }

  async read({ topic, count, fromTimestampMs }: ReadCommand): Promise<ReadRecord[]> {
    const from = fromTimestampMs === undefined ? 'beginning' : `s@${fromTimestampMs}`
    // It prints numbers of control messages too where they are; "-c" counts what it prints.
    const args = ['-C', '-t', topic, '-o', from, '-c', `${count}`, '-q', '-f', FORMAT]
    const text = (await runKcat(args, { brokers: this.#brokers })).toString()
    return text.split('\n').filter(Boolean).map(parse)
  }

  async join(command: JoinCommand): Promise<Member> {
    const properties = [
      'auto.offset.reset=earliest',
      'auto.commit.interval.ms=500',
      `session.timeout.ms=${SESSION_TIMEOUT_MS}`,
      'heartbeat.interval.ms=500',
      'fetch.wait.max.ms=200',
      'broker.address.family=v4',
      ...(command.instanceId === undefined ? [] : [`group.instance.id=${command.instanceId}`]),
    ]
    const args = ['-b', this.#brokers, '-G', command.group, '-u', '-f', FORMAT, ...asFlags(properties), command.topic]
    const child = spawn('kcat', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#members.add(child)
    const member = new KcatMember(child, command)
    return {
      state: async () => member.state(),
      leave: async () => {
        await member.end()
        this.#members.delete(child)
      },
    }
  }

  createTopic = unasked
  deleteTopic = unasked
  createPartitions = unasked
  setConfig = unasked
  config = unasked
  describeGroup = unasked
  deleteGroup = unasked

  async partitionCount(topic: string): Promise<number | undefined> {
    const text = (await runKcat(['-L', '-J', '-t', topic], { brokers: this.#brokers })).toString()
    const { topics } = JSON.parse(text) as { topics: { topic: string; partitions: object[] }[] }
    return topics.find((found) => found.topic === topic)?.partitions.length
  }

  async close(): Promise<void> {
    for (const child of this.#members) child.kill('SIGKILL')
  }
}

/** What `lacks` keeps scenarios from. */
async function unasked(): Promise<never> {
  throw new Error(NO_ADMIN)
}

class KcatMember {
  readonly #child: ChildProcess
  readonly #records: ReadRecord[] = []
  readonly #output: ReturnType<typeof createInterface>
  #partitions: number[] = []
  #assignmentCount = 0

  constructor(child: ChildProcess, { workMs = 0, topic }: JoinCommand) {
    this.#child = child
    this.#output = createInterface({ input: child.stdout! })
    void this.#read(workMs)
    createInterface({ input: child.stderr! }).on('line', (line) => {
      // % Group g rebalanced (memberid m): assigned: topic [0], topic [1]
      const [, kind, list = ''] = /rebalanced \(memberid .*?\): (assigned|revoked): ?(.*)$/.exec(line) ?? []
      if (kind === undefined) return
      const named = [...list.matchAll(/(\S+) \[(\d+)\]/g)].filter(([, name]) => name === topic)
      this.#partitions = kind === 'assigned' ? named.map(([, , partition]) => Number(partition)) : []
      if (kind === 'assigned') this.#assignmentCount += 1
    })
  }

  state(): MemberState {
    return { partitions: this.#partitions, assignmentCount: this.#assignmentCount, records: [...this.#records] }
  }

  async end(): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGTERM')
    await closed
  }

  /** A reader that is slow fills the pipe, and with it kcat. */
  async #read(workMs: number): Promise<void> {
    for await (const line of this.#output) {
      if (workMs > 0) await sleep(workMs)
      if (line !== '') this.#records.push(parse(line))
    }
  }
}

function parse(line: string): ReadRecord {
  const [partition, offset, keyBytes, key = '', value = ''] = line.split('\t')
  return { partition: Number(partition), offset: Number(offset), key: Number(keyBytes) < 0 ? null : key, value }
}

function asFlags(properties: readonly string[]): string[] {
  return properties.flatMap((property) => ['-X', property])
}
