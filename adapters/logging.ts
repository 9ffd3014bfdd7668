import { type DestinationStream, destination, pino } from 'pino'
import type { Logger } from '../engine/ports/logger.js'
import { type AgentConfig, withoutCredentials } from './config/index.js'

/**
 * The log: one JSON object per line on stderr, or one readable line per event. Nothing that looks like a credential gets
 * out: named fields are cut, and so are passwords inside URLs wherever they stand, error texts of drivers included.
 */
export function createLogger(
  config: Pick<AgentConfig, 'logLevel' | 'logFormat'>,
  // Synchronous: the line that says why a process died must be out before it does.
  output: DestinationStream = destination({ fd: 2, sync: true }),
): Logger {
  const stream = config.logFormat === 'json' ? output : { write: (line: string) => output.write(readable(line)) }
  return pino(
    {
      level: config.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
      errorKey: 'error',
      serializers: { error: pino.stdSerializers.errWithCause },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '***' },
      hooks: { streamWrite: withoutCredentials },
    },
    stream,
  )
}

const SECRET_FIELDS = ['password', 'secretAccessKey', 'accessKeyId', 'sessionToken', 'credentials', 'authorization']

/** `10:11:12.123 INFO  agent started  nodeId=1`; stacks follow on lines of their own. */
function readable(line: string): string {
  const { time, level, message, error, ...fields } = JSON.parse(line) as Record<string, unknown>
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${plain(value)}`)
  const head = `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${message ?? ''}`
  return `${[head, ...pairs, ...describeError(error, String(level))].join(' ')}\n`
}

function describeError(error: unknown, level: string): string[] {
  if (error === undefined) return []
  if (typeof error !== 'object' || error === null) return [`error=${plain(error)}`]
  const { message, stack, code } = error as { message?: unknown; stack?: unknown; code?: unknown }
  // A warning is about the world, where the stack says nothing; an error may be about us.
  const summary = `error=${plain(message)}${code === undefined ? '' : ` code=${plain(code)}`}`
  return level === 'error' && typeof stack === 'string'
    ? [`${summary}\n  ${stack.replaceAll('\n', '\n  ')}`]
    : [summary]
}

function plain(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}
