import { createReadStream } from 'node:fs'
import type { MessageToProduce, ProduceResult, Producer } from '@platformatic/kafka'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Terminal } from '../terminal.js'
import { isPassing } from './client-failure.js'
import { bootstrapOption, withProducer } from './clients.js'
import { parseAssignments } from './config-assignments.js'
import { type InputFormat, type InputRecord, linesOf, recordOf } from './input-records.js'

interface ProduceOptions {
  readonly bootstrap: string
  readonly file?: string
  readonly json?: boolean
  readonly keySeparator?: string
  readonly nullValue?: string
  readonly header?: string[]
  readonly partition?: number
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly acks: 'all' | '1' | '0'
  readonly quiet?: boolean
}

/** `headrace produce`. */
export function produceCommand(terminal: Terminal): Command {
  return new Command('produce')
    .description('write the lines of standard input, or of a file, as records')
    .argument('<topic>')
    .addOption(bootstrapOption())
    .option('-f, --file <path>', 'read this file instead of standard input')
    .option(
      '--json',
      'a line is a JSON object with key, value, headers, partition, timestamp, as consume --json prints them',
    )
    .option('-k, --key-separator <text>', 'what comes before it in a line is the key')
    .option('--null-value <text>', 'a value of this text becomes a null: the mark of a deleted key')
    .option('-H, --header <name=value...>', 'headers of every record')
    .option('-p, --partition <number>', 'write to this partition only', parsePartition)
    .addOption(
      new Option('-c, --compression <codec>').choices(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('none'),
    )
    .addOption(new Option('-a, --acks <acks>', 'whom to wait for').choices(['all', '1', '0']).default('all'))
    .option('-q, --quiet', 'no progress and no count')
    .action((topic: string, options: ProduceOptions) =>
      withProducer(options.bootstrap, (producer) => produce(producer, topic, options, terminal)),
    )
}

export function parsePartition(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Use a number from 0 on.')
}

/** Below the common limit of a batch, which is 1 MiB, with room for the records' own headers. */
const SEND_BYTES_MAX = 900_000
const RECORD_OVERHEAD_BYTES = 24
const SEND_RETRY_MS = 30_000
const SEND_RETRY_DELAY_MS = 500
/** A line that overwrites itself for who watches, lines in a log. */
const PROGRESS_WATCHED_MS = 500
const PROGRESS_LOGGED_MS = 5_000

async function produce(producer: Producer, topic: string, options: ProduceOptions, terminal: Terminal): Promise<void> {
  const format: InputFormat = {
    json: options.json === true,
    keySeparator: options.keySeparator,
    nullValue: options.nullValue,
    headers: parseAssignments(options.header ?? []),
  }
  const { topics } = await producer.metadata({ topics: [topic], autocreateTopics: true })
  const partitionOf = await partitioner(topic, topics.get(topic)?.partitionsCount ?? 1)
  const sender = new LineSender(producer, topic, options)
  const progress = options.quiet === true ? undefined : startProgress(sender, terminal)
  const startedAtMs = performance.now()
  try {
    let lineNumber = 0
    for await (const line of linesOf(inputOf(options, terminal))) {
      lineNumber += 1
      const place = options.partition === undefined ? {} : { partition: options.partition }
      const record = { ...recordOf(line, lineNumber, format), ...place }
      await sender.add({ topic, ...record, partition: partitionOf(record) }, line.length)
      if (terminal.stopped.aborted) break
    }
    await sender.drain()
  } finally {
    progress?.stop()
  }
  if (options.quiet === true) return
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
  terminal.note(`Produced ${sender.count} records (${sender.bytes} bytes) to ${topic} in ${seconds} s.\n`)
}

/** Where a record goes: as its line says, or by its key as all Kafka clients do it, or to one partition after the other. */
async function partitioner(topic: string, count: number): Promise<(record: Omit<InputRecord, 'headers'>) => number> {
  const { murmur2 } = await import('@platformatic/kafka')
  let next = 0
  return ({ partition, key }) => {
    if (partition !== undefined && partition >= count) {
      throw new Error(`topic ${topic} has partitions 0 to ${count - 1}, not ${partition}`)
    }
    return partition ?? (key === undefined ? next++ % count : (murmur2(key) & 0x7fffffff) % count)
  }
}

/** What does not come as lines any more when the process is asked to end is not waited for. */
async function* inputOf({ file }: ProduceOptions, { input, stopped }: Terminal): AsyncGenerator<Uint8Array> {
  const source = file === undefined ? input : createReadStream(file)
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  const stop = new Promise<IteratorResult<Uint8Array>>((resolve) => {
    const end = () => resolve({ done: true, value: undefined })
    if (stopped.aborted) end()
    else stopped.addEventListener('abort', end, { once: true })
  })
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), stop])
      if (next.done === true) return
      yield next.value
    }
  } finally {
    // An open pipe that nobody reads would keep the process.
    ;(source as { destroy?: () => void }).destroy?.()
  }
}

/**
 * Sends what has come while the last answer was awaited: one request at a time keeps the order of the lines, and the first line
 * does not wait for others.
 */
class LineSender {
  count = 0
  bytes = 0
  #waiting: MessageToProduce[] = []
  #waitingBytes = 0
  #sending: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(
    private readonly producer: Producer,
    private readonly topic: string,
    private readonly options: ProduceOptions,
  ) {}

  async add(message: MessageToProduce, bytes: number): Promise<void> {
    this.#check()
    while (this.#waiting.length > 0 && this.#waitingBytes + bytes + RECORD_OVERHEAD_BYTES > SEND_BYTES_MAX) {
      await this.#sending
      this.#check()
    }
    this.#waiting.push(message)
    this.#waitingBytes += bytes + RECORD_OVERHEAD_BYTES
    this.#sending ??= this.#send()
  }

  async drain(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending
    this.#check()
  }

  async #send(): Promise<void> {
    try {
      // Lines that are there already come along.
      await new Promise((resolve) => setImmediate(resolve))
      const messages = this.#waiting
      const bytes = this.#waitingBytes - messages.length * RECORD_OVERHEAD_BYTES
      this.#waiting = []
      this.#waitingBytes = 0
      await this.#sendAll(messages)
      this.count += messages.length
      this.bytes += bytes
    } catch (error) {
      this.#failure = { error }
    }
    this.#sending = this.#waiting.length > 0 && this.#failure === undefined ? this.#send() : undefined
  }

  /**
   * Sends again what a broker that has gone, or passes, did not take. Partitions that did are left out; the others go with the
   * sequence numbers they had, so that what was written all the same is not written twice.
   */
  async #sendAll(messages: readonly MessageToProduce[]): Promise<void> {
    const { compression, acks } = this.options
    const deadlineMs = performance.now() + SEND_RETRY_MS
    for (let left = [...messages]; left.length > 0; ) {
      try {
        await this.producer.send({ messages: left, compression, acks: ACKS[acks], idempotent: acks === 'all' })
        return
      } catch (error) {
        if (!isPassing(error) || performance.now() > deadlineMs) throw error
        const taken = new Set((error as PartialFailure).produced?.offsets?.map(({ partition }) => partition))
        left = left.filter(({ partition }) => partition === undefined || !taken.has(partition))
        await new Promise((resolve) => setTimeout(resolve, SEND_RETRY_DELAY_MS))
        await this.producer.metadata({ topics: [this.topic], forceUpdate: true }).catch(() => {})
      }
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

/** What the library adds to its error: where the records of other partitions went. */
interface PartialFailure {
  readonly produced?: ProduceResult
}

const ACKS = { all: -1, '1': 1, '0': 0 } as const

function startProgress(sender: LineSender, terminal: Terminal): { stop(): void } {
  const [intervalMs, start, end] = terminal.isWatched
    ? [PROGRESS_WATCHED_MS, '\r', ' ']
    : [PROGRESS_LOGGED_MS, '', '\n']
  const note = () => terminal.note(`${start}${sender.count} records, ${sender.bytes} bytes${end}`)
  const timer = setInterval(note, intervalMs)
  return {
    stop() {
      clearInterval(timer)
      terminal.note(start)
    },
  }
}
