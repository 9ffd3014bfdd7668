import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import type { PutResult } from '../../engine/ports/object-store.js'
import { isNotImplemented, type S3Request } from './s3-errors.js'
import { request } from './s3-request.js'
import { abortable } from './streams.js'

/** Runs one attempt, perhaps several times; the retry decorator's policy, handed in where only the adapter has the bytes. */
export type RunWithRetries = <T>(signal: AbortSignal | undefined, attempt: () => Promise<T>) => Promise<T>

export interface UploadSettings {
  readonly partBytes: number
  /** Parts of one upload under way at once. Memory of a stream is about twice as many parts. */
  readonly partConcurrency: number
  readonly timeoutMs: number
  /** Added to the time limit of a request per MiB of body it carries. */
  readonly timeoutMsPerMebibyte: number
}

interface Target {
  readonly bucket: string
  /** With the prefix of the store. */
  readonly fullKey: string
  readonly about: S3Request
  readonly signal: AbortSignal | undefined
}

/** Writes objects: small bodies in one PUT, large ones and streams in parts. Owned by one S3 store. */
export class S3Uploads {
  readonly #client: S3Client
  readonly #settings: UploadSettings
  readonly #runPart: RunWithRetries | undefined
  /** Until a store says 501: then it has no conditional writes, and asking again would cost a request each time. */
  #conditional = true

  constructor(client: S3Client, settings: UploadSettings, runPart?: RunWithRetries) {
    this.#client = client
    this.#settings = settings
    this.#runPart = runPart
  }

  async put(target: Target, body: Uint8Array): Promise<PutResult> {
    if (body.byteLength > this.#settings.partBytes) return this.#upload(target, body)
    let requestCount = 0
    await this.#conditionally(async (condition) => {
      const input = { Bucket: target.bucket, Key: target.fullKey, Body: body, ContentLength: body.byteLength }
      requestCount++
      await this.#send(target, body.byteLength, (abortSignal) =>
        this.#client.send(new PutObjectCommand({ ...input, ...condition }), { abortSignal }),
      )
    })
    return { bytes: body.byteLength, requestCount }
  }

  /**
   * The first part is gathered before anything is sent: a stream that ends within it is one PUT, and one that fails
   * there has cost nothing. Parts of a stream are retried here, because the stream itself cannot be read again.
   */
  async putStream(target: Target, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    // `Upload` reports a failed part only once the source has given its next bytes, which may never happen.
    const failed = new AbortController()
    const chunks = abortable(body, failed.signal)
    try {
      return await this.#putChunks(target, chunks, (error) => failed.abort(error))
    } finally {
      // Not awaited: a stalled source would hold up the failure.
      chunks.return(undefined).then(undefined, () => {})
    }
  }

  async #putChunks(
    target: Target,
    body: AsyncIterator<Uint8Array>,
    onFailure: (error: unknown) => void,
  ): Promise<PutResult> {
    const gathered: Uint8Array[] = []
    let gatheredBytes = 0
    while (gatheredBytes <= this.#settings.partBytes) {
      const step = await body.next()
      if (step.done) return this.put(target, Buffer.concat(gathered))
      // Copied: the caller may reuse a chunk once the next one is asked for.
      gathered.push(Uint8Array.from(step.value))
      gatheredBytes += step.value.byteLength
    }
    let bytes = gatheredBytes
    const rest = restOf(gathered, body, (chunkBytes) => {
      bytes += chunkBytes
    })
    const source = Readable.from(rest, { objectMode: true, highWaterMark: 1 })
    const result = await this.#upload(target, source, this.#runPart, onFailure)
    return { ...result, bytes }
  }

  async #upload(
    target: Target,
    body: Uint8Array | Readable,
    runPart?: RunWithRetries,
    onFailure?: (error: unknown) => void,
  ): Promise<PutResult> {
    let requestCount = 0
    const send: Send = (command) => {
      const attempt = () => {
        requestCount++
        return this.#sendPart(target, command)
      }
      // A lost answer to the completion is not for blind repetition: the upload id may be used up.
      const sending = runPart && command instanceof UploadPartCommand ? runPart(target.signal, attempt) : attempt()
      return sending.catch((error: unknown) => {
        onFailure?.(error)
        throw error
      })
    }
    const upload = new Upload({
      client: uploadClient(this.#client, send),
      params: { Bucket: target.bucket, Key: target.fullKey, Body: body, ...(this.#conditional ? IF_ABSENT : {}) },
      partSize: this.#settings.partBytes,
      queueSize: this.#settings.partConcurrency,
      // Parts nobody completes cost money until somebody deletes them.
      leavePartsOnError: false,
    })
    try {
      await upload.done()
    } catch (error) {
      if (target.signal?.aborted) throw target.signal.reason
      throw error
    }
    return { bytes: body instanceof Uint8Array ? body.byteLength : 0, requestCount }
  }

  async #sendPart(target: Target, command: AnyCommand): Promise<unknown> {
    if (command instanceof AbortMultipartUploadCommand) return this.#abortQuietly(target, command)
    if (command instanceof CompleteMultipartUploadCommand) {
      return this.#conditionally((condition) => {
        const { IfNoneMatch: _, ...input } = command.input
        const completion = new CompleteMultipartUploadCommand({ ...input, ...condition })
        return this.#send(target, 0, (abortSignal) => this.#client.send(completion, { abortSignal }))
      })
    }
    const bodyBytes = command instanceof UploadPartCommand ? (command.input.Body as Uint8Array).byteLength : 0
    return this.#send(target, bodyBytes, (abortSignal) =>
      this.#client.send(command as UploadPartCommand, { abortSignal }),
    )
  }

  /** Also after the caller's abort, and never the error that is reported: the bucket's lifecycle rule is the net below. */
  async #abortQuietly(target: Target, command: AbortMultipartUploadCommand): Promise<unknown> {
    const { about } = target
    return request(about, this.#settings.timeoutMs, undefined, (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    ).catch(() => ({}))
  }

  #send<T>(target: Target, bodyBytes: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs, timeoutMsPerMebibyte } = this.#settings
    const limitMs = timeoutMs + Math.ceil((bodyBytes / 2 ** 20) * timeoutMsPerMebibyte)
    return request(target.about, limitMs, target.signal, run)
  }

  async #conditionally<T>(run: (condition: { IfNoneMatch?: string }) => Promise<T>): Promise<T> {
    if (!this.#conditional) return run({})
    try {
      return await run(IF_ABSENT)
    } catch (error) {
      if (!isNotImplemented(error instanceof Error ? error.cause : undefined)) throw error
      this.#conditional = false
      return run({})
    }
  }
}

const IF_ABSENT = { IfNoneMatch: '*' }

type AnyCommand = Parameters<S3Client['send']>[0]
type Send = (command: AnyCommand) => Promise<unknown>

/**
 * The client as `Upload` sees it: it uses nothing but `config` and `send`, and its own way of aborting neither stops
 * the requests under way nor waits for them, so that bytes could still be read after the promise settled.
 */
function uploadClient(client: S3Client, send: Send): S3Client {
  return { config: client.config, send } as unknown as S3Client
}

async function* restOf(
  gathered: Uint8Array[],
  body: AsyncIterator<Uint8Array>,
  onChunk: (chunkBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  yield* gathered.splice(0)
  for (let step = await body.next(); !step.done; step = await body.next()) {
    onChunk(step.value.byteLength)
    yield Uint8Array.from(step.value)
  }
}
