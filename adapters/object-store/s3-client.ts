import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { S3Config } from './config.js'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface S3ClientOptions {
  /** Connections to the store at once; further requests wait for one within their own time limit. Default 64. */
  readonly socketCountMax?: number
  readonly connectTimeoutMs?: number
  /** Default: the SDK's usual chain (environment, shared files, container and instance roles). */
  readonly credentials?: S3Credentials
}

const SOCKET_COUNT_MAX = 64
const CONNECT_TIMEOUT_MS = 3_000

/** An SDK client with every default that matters here made explicit. */
export function createS3Client(config: S3Config, options: S3ClientOptions = {}): S3Client {
  const pool = { keepAlive: true, maxSockets: options.socketCountMax ?? SOCKET_COUNT_MAX }
  const settings: S3ClientConfig = {
    forcePathStyle: config.pathStyle,
    // Retries live in the retry decorator and nowhere else.
    maxAttempts: 1,
    // Integrity end to end is the format's own: every block and index carries a CRC32C that readers verify. The SDK's
    // additional checksum of each body would be a second pass over the same bytes.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The SDK's `Expect: 100-continue` for bodies above 2 MiB costs a round trip, and its handler opens a new
    // connection for each such request.
    expectContinueHeader: false,
    requestHandler: {
      httpAgent: new HttpAgent(pool),
      httpsAgent: new HttpsAgent(pool),
      connectionTimeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      // Each request has a deadline of its own (s3-request.ts), which covers its body too; these would not.
      requestTimeout: 0,
      socketTimeout: 0,
    },
  }
  const region = config.region ?? (config.endpoint === undefined ? undefined : 'us-east-1')
  if (region !== undefined) settings.region = region
  if (config.endpoint !== undefined) settings.endpoint = config.endpoint
  if (options.credentials !== undefined) settings.credentials = options.credentials

  const client = new S3Client(settings)
  leaveBodiesUnsigned(client)
  return client
}

const BODY_COMMANDS = new Set(['PutObjectCommand', 'UploadPartCommand'])

/**
 * Signs the headers but not a SHA-256 of the body, which would read every uploaded byte once more on the thread that
 * sends it. Over TLS nothing is lost; over plain HTTP, whose responses nobody signs either, the CRCs remain.
 */
function leaveBodiesUnsigned(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => (args) => {
      const { request } = args as { request?: { headers?: Record<string, string> } }
      if (request?.headers && BODY_COMMANDS.has(context.commandName ?? '')) {
        request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
      }
      return next(args)
    },
    { step: 'build', name: 'headraceUnsignedPayload' },
  )
}

/**
 * Credentials for this store alone, apart from those the SDK finds for everything else of the process. Only through
 * the environment: command lines and URLs end up in logs.
 */
export function credentialsFromEnvironment(environment: Readonly<Record<string, string | undefined>>) {
  const accessKeyId = environment['HEADRACE_S3_ACCESS_KEY_ID']
  const secretAccessKey = environment['HEADRACE_S3_SECRET_ACCESS_KEY']
  const sessionToken = environment['HEADRACE_S3_SESSION_TOKEN']
  if (!accessKeyId || !secretAccessKey) return undefined
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } satisfies S3Credentials
}
