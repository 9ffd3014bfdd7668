import { setMaxListeners } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { iterateRecords } from '../../format/index.js'
import { type AgentProcess, startAgentProcess } from '../support/agent-process.js'
import { decodeFrame, RawClient } from '../support/kafka/raw-client.js'
import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import { startS3Server } from '../support/s3-server.js'
import { s3Stores, type Teardown } from '../support/store-pairs.js'
import { startThrottledProxy } from '../support/throttled-proxy.js'
import { type ProducerReport, produceWithoutMercy } from './overload-producer.js'

const MIB = 2 ** 20
const TOPIC = 'overload'
const PARTITION_COUNT = 4
const IN_FLIGHT_MAX = 5

export interface OverloadOptions {
  readonly loadMs: number
  readonly memoryBytes: number
  readonly storeBytesPerSecond: number
  readonly connectionCount: number
  readonly requestBytes: number
  /** Where the agent's catalog is. */
  readonly catalogUrl: string
}

/** A small agent before a slow store. */
export const OVERLOAD = {
  memoryBytes: 96 * MIB,
  storeBytesPerSecond: 5 * MIB,
  connectionCount: 48,
  requestBytes: 256 * 1024,
} as const

export interface OverloadRun {
  readonly sentCount: number
  readonly acknowledgedCount: number
  readonly refusals: readonly number[]
  /** Requests that were never answered. */
  readonly unansweredCount: number
  /** Acknowledged records that are not in the log. */
  readonly lost: readonly string[]
  /** Resident memory before the load and at its peak; undefined where the system does not tell. */
  readonly idleBytes: number | undefined
  readonly peakBytes: number | undefined
  /** From the first request to the last answer. */
  readonly wholeMs: number
  readonly acknowledgedBytes: number
  readonly storedBytes: number
  /** Requests that each connection kept on their way. */
  readonly inFlightMax: number
}

/**
 * An agent whose clients send more than its object store takes: many connections, each with as many requests on their
 * way as clients have, together more than the agent may hold.
 */
export async function runOverload(t: Teardown, options: OverloadOptions): Promise<OverloadRun> {
  const s3 = await startS3Server()
  t.teardown(() => s3.stop())
  const { hostname, port } = new URL(s3.endpoint)
  const bytesPerSecond = options.storeBytesPerSecond
  const proxy = await startThrottledProxy({ host: hostname, port: Number(port), bytesPerSecond })
  t.teardown(() => proxy.close())
  const url = s3.url.replace(s3.endpoint, `http://127.0.0.1:${proxy.port}`)
  const { args, env } = s3Stores(url, options.catalogUrl)
  const agent = await startAgentProcess({
    args: [...args, '--memory', `${options.memoryBytes}`],
    env: { ...env, NODE_OPTIONS: '' },
  })
  t.teardown(async () => void (await agent.stop()))
  await createTopic(kafkajsClient([agent.address]), TOPIC, PARTITION_COUNT)

  const idleBytes = residentBytes(agent, 'VmRSS')
  const storedBefore = proxy.passedBytes
  const startedAtMs = performance.now()
  const reports = await load(agent, options)
  const wholeMs = performance.now() - startedAtMs
  const storedBytes = proxy.passedBytes - storedBefore
  const peakBytes = residentBytes(agent, 'VmHWM')

  const acknowledged = reports.flatMap((report) => report.acknowledged)
  const stored = await readKeys(agent.port)
  return {
    sentCount: reports.reduce((sum, report) => sum + report.sentCount, 0),
    acknowledgedCount: acknowledged.length,
    refusals: reports.flatMap((report) => report.refusals),
    unansweredCount: reports.reduce((sum, report) => sum + report.unansweredCount, 0),
    lost: acknowledged.filter((key) => !stored.has(key)),
    idleBytes,
    peakBytes,
    wholeMs,
    acknowledgedBytes: reports.reduce((sum, report) => sum + report.bytes, 0),
    storedBytes,
    inFlightMax: IN_FLIGHT_MAX,
  }
}

async function load(agent: AgentProcess, options: OverloadOptions): Promise<ProducerReport[]> {
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const producers = Array.from({ length: options.connectionCount }, (_, number) =>
    produceWithoutMercy(
      {
        name: `connection-${number}`,
        port: agent.port,
        topic: TOPIC,
        partition: number % PARTITION_COUNT,
        requestBytes: options.requestBytes,
        inFlightMax: IN_FLIGHT_MAX,
      },
      stop.signal,
    ),
  )
  await sleep(options.loadMs)
  stop.abort()
  return Promise.all(producers)
}

/** `VmRSS`: now. `VmHWM`: at its peak. */
function residentBytes(agent: AgentProcess, name: 'VmRSS' | 'VmHWM'): number | undefined {
  const status = `/proc/${agent.pid}/status`
  if (!existsSync(status)) return undefined
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(status, 'utf8'))?.[1]) * 1024
}

/** The keys of all records of the topic. */
async function readKeys(port: number): Promise<Set<string>> {
  const keys = new Set<string>()
  const client = await RawClient.open(port)
  for (let partition = 0; partition < PARTITION_COUNT; partition++) {
    let fetchOffset = 0
    for (;;) {
      const request = {
        ...{ waitMaxMs: 0, bytesMin: 0, bytesMax: 4 * MIB, isolationLevel: 0, sessionId: 0, sessionEpoch: -1 },
        rackId: '',
        topics: [{ name: TOPIC, topicId: '', partitions: [{ partition, fetchOffset, bytesMax: 4 * MIB }] }],
      }
      const correlationId = client.begin('fetch', 11, request)
      const answer = await client.receive()
      if (answer === undefined) throw new Error('the agent closed the connection of the reader')
      const { errorCode, records } = decodeFrame('fetch', 11, answer, correlationId).topics[0].partitions[0]
      if (errorCode !== 0) throw new Error(`partition ${partition} answered error ${errorCode} at ${fetchOffset}`)
      if (records.bytes === 0) break
      const batches = answer.subarray(records.position, records.position + records.bytes)
      const view = new DataView(batches.buffer, batches.byteOffset, batches.byteLength)
      for (let position = 0; position < batches.byteLength; ) {
        const end = position + 12 + view.getInt32(position + 8)
        for (const { key, offset } of iterateRecords(batches.subarray(position, end))) {
          if (key !== null) keys.add(Buffer.from(key).toString())
          fetchOffset = offset + 1
        }
        position = end
      }
    }
  }
  client.destroy()
  return keys
}

export function describeOverload(run: OverloadRun, options: OverloadOptions): string {
  const mib = (bytes = 0) => `${(bytes / MIB).toFixed(1)} MiB`
  const seconds = run.wholeMs / 1000
  const beside = (run.peakBytes ?? 0) - options.memoryBytes
  return [
    `${run.sentCount} requests, ${run.acknowledgedCount} acknowledged, ${run.refusals.length} refused (${[...new Set(run.refusals)]}), ${run.unansweredCount} unanswered`,
    `lost ${run.lost.length}`,
    `${mib(run.acknowledgedBytes / seconds)}/s acknowledged over ${seconds.toFixed(1)} s, ${mib(run.storedBytes / seconds)}/s stored, the store takes ${mib(options.storeBytesPerSecond)}/s`,
    `resident ${mib(run.idleBytes)} idle, ${mib(run.peakBytes)} at the peak: budget ${mib(options.memoryBytes)} and ${mib(beside)} beside it`,
  ].join('\n')
}
