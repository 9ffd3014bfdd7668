import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** `lost-answer`: the store writes, and a second try of the same write is told 412. `hang`: nothing until healed. */
export const S3_FAULTS = ['slow-down', 'reset', 'hang', 'slow-body', 'precondition-failed', 'lost-answer'] as const
export type S3Fault = (typeof S3_FAULTS)[number]

/** An HTTP proxy before an S3 server that fails every other request in the way it is told. */
export interface S3FaultProxy {
  readonly endpoint: string
  /** How many requests the faults took effect on. */
  readonly spoiledCount: number
  inject(fault: S3Fault): void
  heal(): void
  close(): Promise<void>
}

const SLOW_BODY_MS = 1_500

export async function startS3FaultProxy(target: string): Promise<S3FaultProxy> {
  const { hostname, port } = new URL(target)
  const hanging = new Set<ServerResponse>()
  let fault: S3Fault | undefined
  let spoiledCount = 0
  let requestCount = 0

  const server = createServer((incoming, outgoing) => {
    requestCount += 1
    const spoiling = fault !== undefined && (fault === 'hang' || requestCount % 2 === 0) ? fault : undefined
    if (spoiling !== undefined && spoiling !== 'precondition-failed') spoiledCount += 1
    incoming.on('error', () => outgoing.destroy())
    switch (spoiling) {
      case 'reset':
        return void incoming.socket.resetAndDestroy()
      case 'hang':
        return void hanging.add(outgoing)
      case 'slow-down':
        return refuse(incoming, outgoing, 503, 'SlowDown')
      case 'lost-answer':
        return forward(incoming, outgoing, async () => void incoming.socket.destroy())
      case 'precondition-failed':
        // Only a conditional write can be told this: by its own earlier try, whose answer was lost.
        return forward(incoming, outgoing, async (answer) => {
          if (incoming.method !== 'PUT') return pass(answer, outgoing)
          spoiledCount += 1
          answer.resume()
          refuse(incoming, outgoing, 412, 'PreconditionFailed')
        })
      case 'slow-body':
        return forward(incoming, outgoing, async (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
          outgoing.flushHeaders()
          await sleep(SLOW_BODY_MS)
          answer.pipe(outgoing)
        })
      default:
        return forward(incoming, outgoing, async (answer) => pass(answer, outgoing))
    }
  })

  function forward(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    respond: (answer: IncomingMessage) => Promise<void>,
  ): void {
    const { method, url: path, headers } = incoming
    const forwarded = request({ hostname, port, method, path, headers }, (answer) => {
      answer.on('error', () => outgoing.destroy())
      void respond(answer)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get spoiledCount() {
      return spoiledCount
    },
    inject: (next) => {
      fault = next
    },
    heal: () => {
      fault = undefined
      for (const outgoing of hanging) outgoing.destroy()
      hanging.clear()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function pass(answer: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
  answer.pipe(outgoing)
}

function refuse(incoming: IncomingMessage, outgoing: ServerResponse, status: number, code: string): void {
  incoming.resume()
  outgoing.writeHead(status, { 'content-type': 'application/xml' })
  outgoing.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}
