import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy on loopback that fails on demand, and knows enough of MySQL's protocol to see a COMMIT pass. */
export interface TcpProxy {
  readonly port: number
  /** Cuts every connection, as a crash of the network would. */
  cut(): void
  /** Holds all bytes back, in both directions, until `resume`. */
  pause(): void
  resume(): void
  /** Closes new connections at once, until `accept`. */
  refuse(): void
  accept(): void
  /**
   * The next COMMIT reaches the server; its answer does not come back: the connection is cut instead. With `of`: the next one of
   * a transaction that has said that.
   */
  loseNextCommitAnswer(of?: string): void
  /** The next COMMIT does not reach the server: the connection is cut. */
  loseNextCommit(of?: string): void
  /** How many commits were lost either way. */
  readonly lostCount: number
  /** How many connections were cut by `cut`, held by `pause`, or refused. */
  readonly disturbedCount: number
  stop(): Promise<void>
}

type CommitTrap = 'none' | 'lose-commit' | 'lose-answer'

// A COM_QUERY packet with this text: three bytes of length, sequence number 0, command 3.
const COMMIT_PACKET = Buffer.from([0x07, 0x00, 0x00, 0x00, 0x03, ...Buffer.from('COMMIT')])

export async function startTcpProxy(target: {
  readonly targetPort: number
  readonly targetHost?: string
}): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let paused = false
  let refusing = false
  let trap: CommitTrap = 'none'
  let trapOf = ''
  let lostCount = 0
  let disturbedCount = 0

  const server = createServer((client) => {
    if (refusing || paused) disturbedCount++
    if (refusing) return void client.destroy()
    const upstream = connect(target.targetPort, target.targetHost ?? '127.0.0.1')
    let answerLost = false
    let saidOf = false
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true)
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
      if (paused) socket.pause()
    }
    client.on('data', (bytes) => {
      saidOf ||= bytes.includes(trapOf)
      const commits = bytes.includes(COMMIT_PACKET)
      if (trap !== 'none' && commits && saidOf) {
        lostCount++
        const whole = trap === 'lose-commit'
        trap = 'none'
        if (whole) return void client.destroy()
        answerLost = true
      }
      if (commits) saidOf = false
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (answerLost) return void client.destroy()
      client.write(bytes)
    })
  })
  await listen(server)
  const address = server.address()
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut: () => {
      disturbedCount += sockets.size / 2
      destroyAll()
    },
    pause: () => {
      paused = true
      disturbedCount += sockets.size / 2
      for (const socket of sockets) socket.pause()
    },
    resume: () => {
      paused = false
      for (const socket of sockets) socket.resume()
    },
    refuse: () => {
      refusing = true
    },
    accept: () => {
      refusing = false
    },
    loseNextCommit: (of = '') => {
      trap = 'lose-commit'
      trapOf = of
    },
    loseNextCommitAnswer: (of = '') => {
      trap = 'lose-answer'
      trapOf = of
    },
    get lostCount() {
      return lostCount
    },
    get disturbedCount() {
      return disturbedCount
    },
    stop: () => {
      destroyAll()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
}
