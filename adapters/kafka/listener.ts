import { createServer, type Server, type Socket } from 'node:net'
import type { Broker } from '../../engine/broker.js'
import { HeadraceError } from '../../engine/errors.js'
import type { Clock } from '../../engine/ports/clock.js'
import type { Logger } from '../../engine/ports/logger.js'
import { systemClock } from '../system-clock.js'
import { Connection } from './connection.js'
import { FrameBudget } from './frame-budget.js'
import { LimitedWarnings } from './limited-warnings.js'
import { DEFAULT_KAFKA_SETTINGS, type KafkaListenerSettings, type KafkaMetrics, NO_KAFKA_METRICS } from './settings.js'

/** An address to bind; port 0 lets the system choose. Clients that come in by it are told addresses of that name. */
export interface ListenAddress {
  readonly name?: string
  readonly host: string
  readonly port: number
}

export interface KafkaListenerOptions {
  /** At least one. All of them share one budget and one set of limits. */
  readonly listen: readonly ListenAddress[]
  readonly broker: Broker
  readonly settings?: Partial<KafkaListenerSettings>
  readonly logger: Logger
  readonly metrics?: KafkaMetrics
  /** What limits the warnings that clients cause. */
  readonly clock?: Clock
}

export interface KafkaListener {
  /** What is bound, in the order asked for. */
  readonly bound: readonly ListenAddress[]
  /** The port of the first one. */
  readonly port: number
  readonly connectionCount: number
  /**
   * Stops accepting connections and reading frames, waits for responses on their way for at most `closeTimeoutMs`, and
   * closes every connection. The broker must stay open until then. Idempotent.
   */
  close(): Promise<void>
}

/** Listens for Kafka clients. @throws CONFIG_INVALID when an address cannot be bound; none is then. */
export async function startKafkaListener(options: KafkaListenerOptions): Promise<KafkaListener> {
  const { logger, metrics = NO_KAFKA_METRICS, clock = systemClock } = options
  const settings = { ...DEFAULT_KAFKA_SETTINGS, ...options.settings }
  const budget = new FrameBudget(settings.frameBudgetBytes, settings.requestBytesMax)
  const warnings = new LimitedWarnings(logger, clock)
  const connections = new Set<Connection>()

  const accept = (socket: Socket, listener: string | undefined) => {
    if (connections.size >= settings.connectionsMax) {
      const { connectionsMax } = settings
      warnings.warn('CONNECTIONS_MAX', { connectionsMax }, 'Refused a Kafka connection: too many')
      socket.destroy()
      return
    }
    const { broker } = options
    const connection = new Connection(socket, { broker, settings, logger, warnings, metrics, budget, listener })
    connections.add(connection)
    metrics.connectionCount(connections.size)
    socket.on('close', () => {
      connections.delete(connection)
      metrics.connectionCount(connections.size)
    })
    void connection.run()
  }

  const servers: Server[] = []
  const stop = () => Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  const bound: ListenAddress[] = []
  try {
    for (const address of options.listen) {
      // Half-open, so that a client that sends, ends and then reads still gets its responses.
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
        accept(socket, address.name),
      )
      bound.push({ ...address, port: await listen(server, address.host, address.port) })
      servers.push(server)
      server.on('error', (error) => logger.error({ err: error }, 'The Kafka listener failed'))
    }
  } catch (error) {
    void stop()
    for (const connection of connections) connection.destroy()
    warnings.close()
    throw error
  }

  let closed: Promise<void> | undefined
  const close = async () => {
    const stopped = stop()
    await Promise.all([...connections].map((connection) => connection.drain(settings.closeTimeoutMs)))
    await stopped
    warnings.close()
  }
  return {
    bound,
    port: bound[0]?.port ?? 0,
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
