import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { S3Credentials } from '../../adapters/object-store/s3-client.js'

export interface S3Server {
  /** `s3://headrace-test?…`, for `openObjectStore` once `useS3Credentials` has run, or with `credentials`. */
  readonly url: string
  readonly endpoint: string
  readonly bucket: string
  stop(): Promise<void>
}

export interface S3ServerOptions {
  /**
   * Serve what s3rver serves by itself: no conditional writes, suffix ranges from the wrong end, no multipart aborts,
   * listings in the order of its files, unfinished objects visible. Default false: those are mended.
   */
  readonly plain?: boolean
}

/** What s3rver accepts. */
export const S3_SERVER_CREDENTIALS: S3Credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }

const BUCKET = 'headrace-test'
const MAIN = fileURLToPath(new URL('./s3-server-main.js', import.meta.url))

/** Puts the server's credentials where the SDK of this process and of its children looks for them. */
export function useS3Credentials(): void {
  process.env['AWS_ACCESS_KEY_ID'] = S3_SERVER_CREDENTIALS.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = S3_SERVER_CREDENTIALS.secretAccessKey
}

/**
 * An S3 server in a process of its own (its work must not stop the loop of the code under test) on a free loopback
 * port and in a temporary directory. It ends with `stop()`, and by itself when this process goes away.
 */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-s3-server-'))
  const child = fork(MAIN, [directory, BUCKET, options.plain ? 'plain' : 'mended'], {
    // s3rver encrypts continuation tokens with DES.
    execArgv: ['--openssl-legacy-provider', '--no-deprecation'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const port = await portOf(child)
  const endpoint = `http://127.0.0.1:${port}`
  return {
    url: `s3://${BUCKET}?region=us-east-1&endpoint=${endpoint}&path-style=true`,
    endpoint,
    bucket: BUCKET,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        await exited
      }
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (port) => resolve(port as number))
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`the S3 server ended at its start: ${code ?? signal}`)))
  })
}
