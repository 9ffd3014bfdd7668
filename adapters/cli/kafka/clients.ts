import type { Admin, Consumer, Producer } from '@platformatic/kafka'
import { Option } from 'commander'
import { decompressRecords, RECORD_CODEC_NAMES, RECORDS_BYTES_MAX_DEFAULT } from '../../../format/index.js'
import { clientFailure } from './client-failure.js'

/**
 * Clients of Kafka's protocol, loaded when a command needs one. The library is everybody's; what it cannot say or decode on
 * every Node that we run on is made good here.
 */
type Library = typeof import('@platformatic/kafka')

const CLIENT_ID = 'headrace-cli'
const CONNECT_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 60_000
const CLOSE_TIMEOUT_MS = 3_000
const RETRY_COUNT = 3
const RETRY_DELAY_MS = 300

export function bootstrapOption(): Option {
  return new Option('-b, --bootstrap <host:port,…>', 'where agents, or other Kafka brokers, listen').default(
    '127.0.0.1:9092',
  )
}

export function withAdmin<Result>(bootstrap: string, work: (admin: Admin) => Promise<Result>): Promise<Result> {
  return withClient(bootstrap, ({ Admin }, options) => new Admin(options), work)
}

export function withProducer<Result>(
  bootstrap: string,
  work: (producer: Producer) => Promise<Result>,
): Promise<Result> {
  return withClient(bootstrap, ({ Producer }, options) => new Producer({ ...options, autocreateTopics: true }), work)
}

/** Without a group it only fetches, which needs no group's name, but the library does. */
export function withConsumer<Result>(
  bootstrap: string,
  group: string | undefined,
  work: (consumer: Consumer) => Promise<Result>,
): Promise<Result> {
  const groupId = group ?? CLIENT_ID
  return withClient(bootstrap, ({ Consumer }, options) => new Consumer({ ...options, groupId }), work)
}

interface ClientOptions {
  readonly clientId: string
  readonly bootstrapBrokers: string[]
  readonly connectTimeout: number
  readonly requestTimeout: number
  readonly retries: number
  readonly retryDelay: number
}

async function withClient<Client extends { close(): Promise<void> }, Result>(
  bootstrap: string,
  open: (library: Library, options: ClientOptions) => Client,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const library = await loadLibrary()
  const client = open(library, {
    clientId: CLIENT_ID,
    bootstrapBrokers: bootstrap.split(',').map((address) => address.trim()),
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retries: RETRY_COUNT,
    retryDelay: RETRY_DELAY_MS,
  })
  try {
    return await work(client)
  } catch (error) {
    throw clientFailure(error, bootstrap)
  } finally {
    await closeSoon(client)
  }
}

/** A client whose brokers have gone tries for long to say goodbye to them, and nobody waits for that. */
async function closeSoon(client: { close(): Promise<void> }): Promise<void> {
  const closing = (async () => client.close())().catch(() => {})
  let timer: NodeJS.Timeout | undefined
  const soon = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
  })
  await Promise.race([closing, soon])
  clearTimeout(timer)
}

/** As the library has it: given bytes, or its own kind of buffer. */
interface Decompressor {
  decompressSync(data: Uint8Array | { readonly buffer: Uint8Array }): Buffer
}

/** Its decompressors give way to ours: they read snappy in both framings, and zstd also where Node has none. */
async function loadLibrary(): Promise<Library> {
  const library = await import('@platformatic/kafka')
  for (const [codec, name] of RECORD_CODEC_NAMES.entries()) {
    if (name === 'none') continue
    const theirs = library.compressionsAlgorithms[name] as unknown as Decompressor
    theirs.decompressSync = (data) => {
      const stored = data instanceof Uint8Array ? data : data.buffer
      const bytes = decompressRecords(codec, Uint8Array.from(stored), RECORDS_BYTES_MAX_DEFAULT)
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
  }
  return library
}
