/** Bounds and waits of the listener. Every one has a default; the configuration sets what it likes. */
export interface KafkaListenerSettings {
  /** Largest request frame; a larger one closes its connection. */
  readonly requestBytesMax: number
  /** Request bytes in memory that no handler has consumed yet, over all connections. */
  readonly frameBudgetBytes: number
  /** A frame that is not complete this long after it was begun closes its connection. */
  readonly requestReadTimeoutMs: number
  /**
   * A frame whose memory is set aside and of which nothing came for this long closes its connection when other frames wait
   * for that memory.
   */
  readonly requestStallTimeoutMs: number
  /** A response of which the client takes nothing for this long closes its connection when fetches wait for the memory of answers. */
  readonly responseStallTimeoutMs: number
  /** A connection with nothing to do for this long is closed; so is one whose client does not take its responses. */
  readonly connectionIdleMs: number
  /** Requests of one connection whose responses are not written yet; beyond it the connection is not read. */
  readonly pendingRequestsMax: number
  /** Connections beyond it are closed at once. */
  readonly connectionsMax: number
  /** How long `close` waits for responses that are on their way. */
  readonly closeTimeoutMs: number
  /** Array elements one request may have in all. */
  readonly requestElementsMax: number
  /** Largest record batch where the topic does not say: `max.message.bytes`. */
  readonly messageBytesMax: number
  /** What topics have that do not say: `retention.ms` and `retention.bytes`, -1 for no limit. */
  readonly retentionTimeMs: number
  readonly retentionBytes: number
  /** Largest Fetch answer, whatever the client asks for. */
  readonly fetchBytesMax: number
  /** Where tools are told that logs lie. */
  readonly logDirectory: string
}

const MIB = 1 << 20

export const DEFAULT_KAFKA_SETTINGS: KafkaListenerSettings = {
  requestBytesMax: 100 * MIB,
  frameBudgetBytes: 256 * MIB,
  requestReadTimeoutMs: 30_000,
  requestStallTimeoutMs: 2_000,
  responseStallTimeoutMs: 2_000,
  connectionIdleMs: 600_000,
  pendingRequestsMax: 128,
  connectionsMax: 10_000,
  closeTimeoutMs: 10_000,
  requestElementsMax: 1_000_000,
  messageBytesMax: 1_048_588,
  retentionTimeMs: 604_800_000,
  retentionBytes: -1,
  fetchBytesMax: 55 * MIB,
  logDirectory: 'object-store',
}

/** What the listener reports; `adapters/http/` makes series of it. */
export interface KafkaMetrics {
  /** From the complete frame to the response's last byte being handed to the socket. */
  requestDone(api: string, version: number, durationMs: number): void
  /** `acrossZones`: between an agent and a client known to be in different zones, which clouds charge for. */
  requestBytes(bytes: number, acrossZones: boolean): void
  responseBytes(bytes: number, acrossZones: boolean): void
  connectionCount(count: number): void
  /** A connection closed for what its client did. */
  connectionFailed(): void
}

export const NO_KAFKA_METRICS: KafkaMetrics = {
  requestDone() {},
  requestBytes() {},
  responseBytes() {},
  connectionCount() {},
  connectionFailed() {},
}
