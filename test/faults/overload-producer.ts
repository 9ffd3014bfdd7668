import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { encodeRecordBatch } from '../../format/index.js'
import { decodeFrame, requestFrame } from '../support/kafka/raw-client.js'

export interface OverloadProducerOptions {
  readonly name: string
  readonly port: number
  readonly topic: string
  readonly partition: number
  readonly requestBytes: number
  /** Requests without an answer yet: clients keep five. */
  readonly inFlightMax: number
}

export interface ProducerReport {
  /** Keys of the records that were acknowledged, in the order of sending. */
  readonly acknowledged: string[]
  readonly sentCount: number
  /** Error codes of what was refused. */
  readonly refusals: number[]
  readonly unansweredCount: number
  readonly bytes: number
}

/** Nothing here compresses, so that the object store gets what was sent. */
const NOISE = randomBytes(8 << 20)

/** One connection that produces as fast as it may until `stop`, and then waits for the answers it is owed. */
export function produceWithoutMercy(options: OverloadProducerOptions, stop: AbortSignal): Promise<ProducerReport> {
  const { name, port, topic, partition, requestBytes, inFlightMax } = options
  const waiting = new Map<number, string>()
  const acknowledged: string[] = []
  const refusals: number[] = []
  let sentCount = 0
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const finish = () => {
      socket.destroy()
      const bytes = acknowledged.length * requestBytes
      resolve({ acknowledged, sentCount, refusals, unansweredCount: waiting.size, bytes })
    }
    const send = () => {
      while (!stop.aborted && waiting.size < inFlightMax) {
        sentCount += 1
        const key = `${name}/${sentCount}`
        waiting.set(sentCount, key)
        socket.write(requestFrame('produce', 7, sentCount, produceRequest(topic, partition, key, requestBytes)))
      }
      if (stop.aborted && waiting.size === 0) finish()
    }
    onFrames(socket, (frame) => {
      const correlationId = new DataView(frame.buffer, frame.byteOffset).getInt32(0)
      const { errorCode } = decodeFrame('produce', 7, frame, correlationId).topics[0].partitions[0]
      const key = waiting.get(correlationId)
      waiting.delete(correlationId)
      if (key === undefined) throw new Error(`${name} was answered ${correlationId}, which it did not ask`)
      if (errorCode === 0) acknowledged.push(key)
      else refusals.push(errorCode)
      send()
    })
    socket.on('error', () => {})
    socket.once('connect', send)
    socket.once('close', finish)
    stop.addEventListener('abort', send, { once: true })
  })
}

function produceRequest(topic: string, partition: number, key: string, bytes: number): object {
  const start = Math.floor(Math.random() * (NOISE.byteLength - bytes))
  const value = NOISE.subarray(start, start + bytes)
  const records = encodeRecordBatch({ records: [{ timestampMs: Date.now(), key: Buffer.from(key), value }] })
  return { acks: -1, topics: [{ name: topic, partitions: [{ partition, records }] }] }
}

function onFrames(socket: Socket, take: (frame: Uint8Array) => void): void {
  let received: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    while (received.byteLength >= 4 && received.byteLength >= 4 + received.readInt32BE(0)) {
      const end = 4 + received.readInt32BE(0)
      take(new Uint8Array(received.subarray(4, end)))
      received = received.subarray(end)
    }
  })
}
