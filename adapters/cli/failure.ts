import { formatHostPort, withoutCredentials } from '../config/index.js'

/** What a failed command says: one line, without credentials, that tells what to do where we know. */
export function describeFailure(error: unknown): string {
  return withoutCredentials(sentence(error)).replaceAll(/\s*\n\s*/g, ' ')
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // The engine's own errors say what to do, except about addresses: which flag chose one is known only here.
  return (
    socketFailure(error) ?? (error.cause instanceof Error ? socketFailure(error.cause) : undefined) ?? error.message
  )
}

interface SocketError extends NodeJS.ErrnoException {
  readonly address?: string
  readonly hostname?: string
  readonly port?: number
}

const BIND_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; stop what uses it, or choose another with --listen (Kafka) or --http',
  EADDRNOTAVAIL: 'this machine does not have that address; choose another with --listen (Kafka) or --http',
  EACCES: 'not permitted; ports below 1024 need privileges, choose another with --listen (Kafka) or --http',
}

function socketFailure({ code = '', syscall, address, hostname, port = 0 }: SocketError): string | undefined {
  const problem = BIND_PROBLEMS[code]
  if (syscall === 'listen' && address !== undefined && problem !== undefined) {
    return `cannot listen on ${formatHostPort({ host: address, port })}: ${problem}`
  }
  if (syscall === 'getaddrinfo') return `cannot find the host ${hostname}: check its name in --listen and --http`
  return undefined
}
