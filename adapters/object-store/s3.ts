import type { Readable } from 'node:stream'
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { HeadraceError, isHeadraceError } from '../../engine/errors.js'
import type {
  DeleteResult,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  ObjectTail,
  PutOptions,
  PutResult,
  RequestOptions,
} from '../../engine/ports/object-store.js'
import type { S3Config } from './config.js'
import { checkRange, checkTailBytes, rangeInvalid, throwIfAborted } from './errors.js'
import { checkKey } from './keys.js'
import { type AnsweredRange, answeredRange, collect } from './s3-body.js'
import { createS3Client, type S3ClientOptions } from './s3-client.js'
import type { S3Request } from './s3-errors.js'
import { s3Error } from './s3-errors.js'
import { request } from './s3-request.js'
import { type RunWithRetries, S3Uploads, type UploadSettings } from './s3-upload.js'
import { abortable } from './streams.js'

const MEBIBYTE = 2 ** 20
const KEYS_PER_DELETE = 1000

export interface S3StoreOptions extends S3ClientOptions, Partial<UploadSettings> {
  /** How parts of a stream are retried; without it a stream fails with its first failing part. */
  readonly runPart?: RunWithRetries
}

/**
 * Objects in one bucket, below one prefix. Each method is one attempt; integrity of the bytes is the format's own
 * (CRC32C per block and index), see s3-client.ts. Buckets want a lifecycle rule that aborts incomplete multipart
 * uploads after a day: a process that dies within one leaves its parts.
 */
export class S3ObjectStore implements ObjectStore {
  readonly location: string
  readonly #client: S3Client
  readonly #uploads: S3Uploads
  readonly #bucket: string
  readonly #keyPrefix: string
  readonly #timeoutMs: number
  readonly #timeoutMsPerMebibyte: number
  /** Until the store answers a suffix range with other bytes than the last ones. */
  #suffixRanges = true

  constructor(config: S3Config, options: S3StoreOptions = {}) {
    this.location = `s3://${config.bucket}${config.prefix === '' ? '' : `/${config.prefix}`}`
    this.#bucket = config.bucket
    this.#keyPrefix = config.prefix === '' ? '' : `${config.prefix}/`
    this.#client = createS3Client(config, options)
    this.#timeoutMs = options.timeoutMs ?? 10_000
    this.#timeoutMsPerMebibyte = options.timeoutMsPerMebibyte ?? 500
    const settings: UploadSettings = {
      // A little above 8 MiB, so that a full default segment with its index is still one PUT.
      partBytes: options.partBytes ?? 9 * MEBIBYTE,
      partConcurrency: options.partConcurrency ?? 4,
      timeoutMs: this.#timeoutMs,
      timeoutMsPerMebibyte: this.#timeoutMsPerMebibyte,
    }
    this.#uploads = new S3Uploads(this.#client, settings, options.runPart)
  }

  async put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return this.#uploads.put(this.#target(key, options), body)
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutResult> {
    return this.#uploads.putStream(this.#target(key, options), abortable(body, options?.signal))
  }

  async getRange(key: string, position: number, bytes: number, options?: RequestOptions): Promise<Uint8Array> {
    checkKey(key)
    checkRange(key, position, bytes)
    if (bytes === 0) {
      checkRange(key, position, 0, (await this.head(key, options)).bytes)
      return new Uint8Array(0)
    }
    const { body } = await this.#get(key, `bytes=${position}-${position + bytes - 1}`, options, (range) => {
      if (range.first !== position || range.bytes < bytes) throw rangeInvalid(key, position, bytes, range.objectBytes)
      // A server may send more than was asked (some misread `0-0`); what follows is not read.
      return bytes
    })
    return body
  }

  async getTail(key: string, bytes: number, options?: RequestOptions): Promise<ObjectTail> {
    checkKey(key)
    checkTailBytes(key, bytes)
    if (bytes === 0) return { objectBytes: (await this.head(key, options)).bytes, tail: new Uint8Array(0) }
    if (this.#suffixRanges) {
      const tail = await this.#getSuffix(key, bytes, options)
      if (tail) return tail
    }
    const objectBytes = (await this.head(key, options)).bytes
    const tailBytes = Math.min(bytes, objectBytes)
    return { objectBytes, tail: await this.getRange(key, objectBytes - tailBytes, tailBytes, options) }
  }

  async head(key: string, options?: RequestOptions): Promise<ObjectInfo> {
    checkKey(key)
    const input = { Bucket: this.#bucket, Key: this.#keyPrefix + key }
    const answer = await request(this.#about(key, 'read'), this.#timeoutMs, options?.signal, (abortSignal) =>
      this.#client.send(new HeadObjectCommand(input), { abortSignal }),
    )
    return { key, bytes: answer.ContentLength ?? 0, lastModifiedMs: answer.LastModified?.getTime() ?? 0 }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    let continuation: string | undefined
    do {
      const page = await this.#listPage(prefix, options, continuation)
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        const key = Key?.slice(this.#keyPrefix.length)
        if (key) yield { key, bytes: Size ?? 0, lastModifiedMs: LastModified?.getTime() ?? 0 }
      }
      continuation = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (continuation !== undefined)
  }

  async delete(keys: readonly string[], options?: RequestOptions): Promise<DeleteResult[]> {
    throwIfAborted(options)
    const results: DeleteResult[] = []
    for (let first = 0; first < keys.length; first += KEYS_PER_DELETE) {
      results.push(...(await this.#deleteSome(keys.slice(first, first + KEYS_PER_DELETE), options)))
    }
    return results
  }

  async close(): Promise<void> {
    this.#client.destroy()
  }

  /** Undefined when the store turned out not to serve suffix ranges, or served one of an empty object (416). */
  async #getSuffix(key: string, bytes: number, options: RequestOptions | undefined): Promise<ObjectTail | undefined> {
    try {
      const { body, range } = await this.#get(key, `bytes=-${bytes}`, options, (answered) => {
        const tailBytes = Math.min(bytes, answered.objectBytes)
        if (answered.bytes !== tailBytes || answered.first !== answered.objectBytes - tailBytes) {
          throw rangesIgnored(this.location)
        }
        return tailBytes
      })
      return { objectBytes: range.objectBytes, tail: body }
    } catch (error) {
      if (isHeadraceError(error, 'OBJECT_RANGE_INVALID')) return undefined
      if (!isRangesIgnored(error)) throw error
      this.#suffixRanges = false
      return undefined
    }
  }

  /** `plan` sees which bytes are coming before memory is allocated for them, and says how many to read, or throws. */
  #get(key: string, range: string, options: RequestOptions | undefined, plan: (range: AnsweredRange) => number) {
    const input = { Bucket: this.#bucket, Key: this.#keyPrefix + key, Range: range }
    return this.#read(key, range, options, async (abortSignal) => {
      const answer = await this.#client.send(new GetObjectCommand(input), { abortSignal })
      const stream = answer.Body as unknown as Readable
      try {
        const answered = answeredRange(answer.ContentRange, answer.ContentLength)
        if (!answered) throw rangesIgnored(this.location)
        return { body: await collect(stream, plan(answered), abortSignal), range: answered }
      } finally {
        stream.destroy()
      }
    })
  }

  #read<T>(
    key: string,
    range: string,
    options: RequestOptions | undefined,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? []
    const askedBytes = first === undefined ? 0 : Number(last) - Number(first) + 1
    const limitMs = this.#timeoutMs + Math.ceil(Math.min(askedBytes / MEBIBYTE, 1024) * this.#timeoutMsPerMebibyte)
    return request(this.#about(key, 'read'), limitMs, options?.signal, run)
  }

  #listPage(
    prefix: string,
    options: ListOptions,
    continuation: string | undefined,
  ): Promise<ListObjectsV2CommandOutput> {
    const input = {
      Bucket: this.#bucket,
      Prefix: this.#keyPrefix + prefix,
      ...(continuation === undefined ? {} : { ContinuationToken: continuation }),
      ...(options.startAfter === undefined ? {} : { StartAfter: this.#keyPrefix + options.startAfter }),
    }
    return request(this.#about(`${prefix}*`, 'read'), this.#timeoutMs, options.signal, (abortSignal) =>
      this.#client.send(new ListObjectsV2Command(input), { abortSignal }),
    )
  }

  async #deleteSome(keys: readonly string[], options: RequestOptions | undefined): Promise<DeleteResult[]> {
    const about = this.#about(keys.length === 1 ? String(keys[0]) : `${keys.length} keys`, 'write')
    const Objects = keys.map((key) => ({ Key: this.#keyPrefix + key }))
    try {
      // Quiet: the answer names failures only.
      const answer = await request(about, this.#timeoutMs, options?.signal, (abortSignal) =>
        this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }), {
          abortSignal,
        }),
      )
      const failed = new Map((answer.Errors ?? []).map((failure) => [failure.Key, failure]))
      return keys.map((key) => {
        const failure = failed.get(this.#keyPrefix + key)
        if (!failure || failure.Code === 'NoSuchKey') return { key, deleted: true }
        return { key, deleted: false, error: deletionError(this.#about(key, 'write'), failure) }
      })
    } catch (error) {
      if (options?.signal?.aborted) throw error
      return keys.map((key) => ({ key, deleted: false, error: error as Error }))
    }
  }

  #target(key: string, options: PutOptions | undefined) {
    checkKey(key)
    throwIfAborted(options)
    const about = this.#about(key, 'write')
    return { bucket: this.#bucket, fullKey: this.#keyPrefix + key, about, signal: options?.signal }
  }

  #about(key: string, effect: S3Request['effect']): S3Request {
    return { location: this.location, key, effect }
  }
}

/** Deleting twice is harmless, so a failure of a single key that has no better name may always be repeated. */
function deletionError(about: S3Request, failure: { Code?: string | undefined; Message?: string | undefined }): Error {
  const name = failure.Code ?? 'UnknownError'
  const cause = Object.assign(new Error(failure.Message ?? name), { name })
  const error = s3Error(about, cause)
  if (error instanceof HeadraceError) return error
  const text = `deleting ${about.key} in ${about.location} failed: ${cause.message} (${name})`
  return new HeadraceError('OBJECT_STORE_UNAVAILABLE', 'unknown', text, { cause })
}

const RANGES_IGNORED = 'does not serve byte ranges as S3 does'

function rangesIgnored(location: string): HeadraceError {
  return new HeadraceError('OBJECT_STORE_DENIED', 'never', `the store ${location} ${RANGES_IGNORED}`)
}

function isRangesIgnored(error: unknown): boolean {
  return isHeadraceError(error, 'OBJECT_STORE_DENIED') && error.message.endsWith(RANGES_IGNORED)
}
