import { Buffer } from 'node:buffer'
import { decompress as decompressZstd } from 'fzstd'
import kafkajs, { type Admin, type Kafka, type KafkaConfig } from 'kafkajs'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { compress as compressSnappy, uncompress as decompressSnappy } from 'snappyjs'

const { CompressionCodecs, CompressionTypes, Kafka: KafkaClient, logLevel } = kafkajs

/** kafkajs brings gzip; its users plug the other codecs in, and so do the tests. */
CompressionCodecs[CompressionTypes.Snappy] = () => codec(compressSnappy, (bytes) => decompressSnappy(bytes))
CompressionCodecs[CompressionTypes.LZ4] = () => codec(compressFrameSync, decompressFrameSync)
CompressionCodecs[CompressionTypes.ZSTD] = () => codec(storedZstdFrame, (bytes) => decompressZstd(bytes))

export const kafkajsCompression = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const

export type Compression = keyof typeof kafkajsCompression

/** One record as kafkajs decoded it. */
export interface FetchedRecord {
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

/** Waits until each agent names all of them: one that has just started learns of the others at its next heartbeat. */
export async function agentsKnowEachOther(addresses: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + 30_000
  for (const address of addresses) {
    for (;;) {
      const { brokers } = await withAdmin(kafkajsClient([address]), (admin) => admin.describeCluster())
      if (brokers.length === addresses.length) break
      if (performance.now() > deadlineMs)
        throw new Error(`${address} names ${brokers.length} of ${addresses.length} agents`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

export function kafkajsClient(brokers: readonly string[], config: Partial<KafkaConfig> = {}): Kafka {
  return new KafkaClient({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 5_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 60 },
    ...config,
  })
}

/** Runs `use` with a connected admin client. */
export async function withAdmin<T>(kafka: Kafka, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

export async function createTopic(kafka: Kafka, topic: string, numPartitions: number): Promise<void> {
  await withAdmin(kafka, (admin) => admin.createTopics({ topics: [{ topic, numPartitions }] }))
}

/**
 * Reads all partitions from their beginning to the end they have now, through the connections and decoders of kafkajs;
 * its public consumer would need a group.
 */
export async function kafkajsConsume(kafka: Kafka, topic: string): Promise<FetchedRecord[]> {
  const ends = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic))
  const cluster = openCluster(kafka)
  await cluster.connect()
  try {
    await cluster.addTargetTopic(topic)
    const records: FetchedRecord[] = []
    const partitions = ends.map(({ partition, low, high }) => ({ partition, at: Number(low), end: Number(high) }))
    const byNode = cluster.findLeaderForPartitions(
      topic,
      partitions.map(({ partition }) => partition),
    )
    for (const [nodeId, owned] of Object.entries(byNode)) {
      const broker = await cluster.findBroker({ nodeId })
      const open = partitions.filter(({ partition }) => owned.includes(partition))
      await readPartitions(broker, topic, open, records)
    }
    return records
  } finally {
    await cluster.disconnect()
  }
}

interface ReadPosition {
  readonly partition: number
  at: number
  readonly end: number
}

async function readPartitions(
  broker: InternalBroker,
  topic: string,
  positions: readonly ReadPosition[],
  records: FetchedRecord[],
): Promise<void> {
  for (;;) {
    const open = positions.filter(({ at, end }) => at < end)
    if (open.length === 0) return
    const partitions = open.map(({ partition, at }) => ({ partition, fetchOffset: at.toString(), maxBytes: 4 << 20 }))
    const response = await broker.fetch({ maxWaitTime: 500, maxBytes: 32 << 20, topics: [{ topic, partitions }] })
    for (const { partition, errorCode, messages } of response.responses[0]?.partitions ?? []) {
      if (errorCode !== 0) throw new Error(`partition ${partition} answered error ${errorCode}`)
      const position = open.find((candidate) => candidate.partition === partition)
      for (const message of messages) {
        const offset = Number(message.offset)
        // A batch comes whole, also where the read starts inside it.
        if (position === undefined || offset < position.at) continue
        records.push({
          partition,
          offset,
          key: message.key,
          value: message.value,
          headers: Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, `${value}`])),
        })
        position.at = offset + 1
      }
    }
  }
}

// ---- what kafkajs keeps to itself

interface InternalBroker {
  fetch(request: object): Promise<{
    responses: { partitions: { partition: number; errorCode: number; messages: InternalMessage[] }[] }[]
  }>
}

interface InternalMessage {
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer>>
}

interface InternalCluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addTargetTopic(topic: string): Promise<void>
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>
  findBroker(node: { nodeId: string }): Promise<InternalBroker>
}

function openCluster(kafka: Kafka): InternalCluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description?.endsWith(':createCluster'))
  if (symbol === undefined) throw new Error('this version of kafkajs has no cluster factory where it is expected')
  return (kafka as unknown as Record<symbol, (options: object) => InternalCluster>)[symbol]!({})
}

function codec(compress: (bytes: Buffer) => Uint8Array, decompress: (bytes: Buffer) => Uint8Array) {
  return {
    compress: async (encoder: { buffer: Buffer }) => Buffer.from(compress(encoder.buffer)),
    decompress: async (bytes: Buffer) => Buffer.from(decompress(bytes)),
  }
}

const ZSTD_MAGIC = 0xfd2fb528
const ZSTD_BLOCK_BYTES_MAX = 128 * 1024

/** A valid Zstandard frame of stored blocks: Node has an encoder from 22.15 on only. */
function storedZstdFrame(bytes: Buffer): Buffer {
  const header = Buffer.alloc(9)
  header.writeUInt32LE(ZSTD_MAGIC, 0)
  // Single segment, content size in four bytes.
  header.writeUInt8(0xa0, 4)
  header.writeUInt32LE(bytes.byteLength, 5)
  const pieces: Buffer[] = [header]
  for (let position = 0; position < bytes.byteLength || position === 0; position += ZSTD_BLOCK_BYTES_MAX) {
    const block = bytes.subarray(position, position + ZSTD_BLOCK_BYTES_MAX)
    const blockHeader = Buffer.alloc(3)
    const last = position + block.byteLength >= bytes.byteLength ? 1 : 0
    blockHeader.writeUIntLE((block.byteLength << 3) | last, 0, 3)
    pieces.push(blockHeader, block)
  }
  return Buffer.concat(pieces)
}
