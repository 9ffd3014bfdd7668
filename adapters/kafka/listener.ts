import { createServer, type Server, type Socket } from 'node:net'
import type { Broker } from '../../engine/broker.js'
import { HeadraceError } from '../../engine/errors.js'
import type { Logger } from '../../engine/ports/logger.js'
import { Connection } from './connection.js'
import { FrameBudget } from './frame-budget.js'
import { DEFAULT_KAFKA_SETTINGS, type KafkaListenerSettings, type KafkaMetrics, NO_KAFKA_METRICS } from './settings.js'

export interface KafkaListenerOptions {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  readonly broker: Broker
  readonly settings?: Partial<KafkaListenerSettings>
  readonly logger: Logger
  readonly metrics?: KafkaMetrics
}

export interface KafkaListener {
  readonly host: string
  /** The port that is bound. */
  readonly port: number
  readonly connectionCount: number
  /**
   * Stops accepting connections and reading frames, waits for responses on their way for at most `closeTimeoutMs`, and
   * closes every connection. The broker must stay open until then. Idempotent.
   */
  close(): Promise<void>
}

/** Listens for Kafka clients. @throws CONFIG_INVALID when the address cannot be bound. */
export async function startKafkaListener(options: KafkaListenerOptions): Promise<KafkaListener> {
  const { host, logger, metrics = NO_KAFKA_METRICS } = options
  const settings = { ...DEFAULT_KAFKA_SETTINGS, ...options.settings }
  const budget = new FrameBudget(settings.frameBudgetBytes)
  const connections = new Set<Connection>()

  const accept = (socket: Socket) => {
    const connection = new Connection(socket, { broker: options.broker, settings, logger, metrics, budget })
    connections.add(connection)
    metrics.connectionCount(connections.size)
    socket.on('close', () => {
      connections.delete(connection)
      metrics.connectionCount(connections.size)
    })
    void connection.run()
  }

  // Half-open, so that a client that sends, ends and then reads still gets its responses.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, accept)
  server.maxConnections = settings.connectionsMax
  server.on('drop', () =>
    logger.warn({ connectionsMax: settings.connectionsMax }, 'Refused a Kafka connection: too many'),
  )
  const port = await listen(server, host, options.port)
  server.on('error', (error) => logger.error({ err: error }, 'The Kafka listener failed'))

  let closed: Promise<void> | undefined
  const close = async () => {
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
    await Promise.all([...connections].map((connection) => connection.drain(settings.closeTimeoutMs)))
    await stopped
  }
  return {
    host,
    port,
    get connectionCount() {
      return connections.size
    },
    close: () => {
      closed ??= close()
      return closed
    },
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => {
      const message = `The Kafka listener cannot bind ${host}:${port}: ${cause.message}`
      reject(new HeadraceError('CONFIG_INVALID', 'never', message, { cause }))
    }
    server.once('error', failed)
    server.listen({ host, port }, () => {
      server.off('error', failed)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
