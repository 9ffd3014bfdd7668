import type { Broker, ClientInfo } from '../../engine/broker.js'
import type { FetchTurns } from '../../engine/fetch/index.js'
import type { Logger } from '../../engine/ports/logger.js'
import type { KafkaListenerSettings } from './settings.js'

/** What a handler works with: the engine, and who is asking. */
export interface RequestContext {
  readonly broker: Broker
  readonly settings: KafkaListenerSettings
  readonly logger: Logger
  readonly client: ClientInfo
  /** Of the partitions that the connection reads. */
  readonly fetchTurns: FetchTurns
  /** Aborted when the connection closes or the listener is closing: parked fetches answer at once. */
  readonly signal: AbortSignal
  /** Takes what is to be called, once, when the response has left or never will: it holds memory until then. */
  readonly whenSent: (release: () => void) => void
}
