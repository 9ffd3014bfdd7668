import { type KafkaListenerSettings, startKafkaListener } from '../../../adapters/kafka/index.js'
import type { Logger } from '../../../engine/ports/logger.js'
import { fakeBatch } from './bytes.js'
import { FakeBroker } from './fake-broker.js'
import { RawClient } from './raw-client.js'

/** A listener before a fake broker, with raw clients, that ends with the test. `warnings` and `errors` are what it logged. */
export async function openListener(
  t: { teardown(end: () => unknown): void },
  settings: Partial<KafkaListenerSettings> = {},
) {
  const broker = new FakeBroker()
  const warnings: string[] = []
  const errors: string[] = []
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (_fields, message) => warnings.push(message),
    error: (_fields, message) => errors.push(message),
  }
  const listener = await startKafkaListener({ listen: [{ host: '127.0.0.1', port: 0 }], broker, settings, logger })
  const clients: RawClient[] = []
  t.teardown(async () => {
    for (const client of clients) client.destroy()
    await listener.close()
  })
  const open = async () => {
    const client = await RawClient.open(listener.port, { allowHalfOpen: true })
    clients.push(client)
    return client
  }
  return { broker, listener, open, warnings, errors }
}

/** A request of one batch. */
export const produceOf = (acks = -1, topic = 'events') => ({
  acks,
  topics: [{ name: topic, partitions: [{ partition: 0, records: fakeBatch({}) }] }],
})

export const fetchOf = (options: { waitMaxMs?: number; fetchOffset?: number } = {}) => ({
  waitMaxMs: options.waitMaxMs ?? 0,
  bytesMin: 1,
  bytesMax: 1 << 20,
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  rackId: '',
  topics: [
    { name: 'events', partitions: [{ partition: 0, fetchOffset: options.fetchOffset ?? 0, bytesMax: 1 << 20 }] },
  ],
})
