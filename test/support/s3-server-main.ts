import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/**
 * The process behind `startS3Server`: s3rver on a free loopback port, told to its parent. Unless asked for plain
 * s3rver, its deviations from S3 that the object-store port would notice are mended here.
 */
const [directory = '', bucket = '', mode = 'mended'] = process.argv.slice(2)

/** The parts of s3rver (untyped, Koa 2) that are used. */
interface S3rver {
  middleware: ((context: Context, next: () => Promise<void>) => Promise<void>)[]
  store: Store
  run(): Promise<{ port: number }>
}
interface Context {
  method: string
  path: string
  query: Record<string, string | undefined>
  headers: Record<string, string | undefined>
  status: number
  type: string
  body: unknown
}
interface StoredObject {
  bucket: string
  key: string
  content: NodeJS.ReadableStream
  metadata: object
}
interface ListOptions {
  startAfter?: string
  maxKeys?: number
}
interface Listing {
  objects: { key: string }[]
  isTruncated: boolean
}
interface Store {
  getResourcePath(bucket: string, key: string | undefined, resource: string): string
  getMetadata(bucket: string, key: string): Promise<Record<string, unknown>>
  putMetadata(bucket: string, key: string, metadata: object, md5: string): Promise<void>
  existsObject(bucket: string, key: string): Promise<boolean>
  putObject(object: StoredObject): Promise<{ size: number; md5: string }>
  deleteObject(bucket: string, key: string): Promise<void>
  listObjects(bucket: string, options: ListOptions): Promise<Listing>
}

const Server = createRequire(import.meta.url)('s3rver') as new (options: object) => S3rver
const server = new Server({
  port: 0,
  address: '127.0.0.1',
  silent: true,
  directory: join(directory, 'objects'),
  configureBuckets: [{ name: bucket }],
})
if (mode === 'mended') {
  mendPutObject(server.store)
  mendListing(server.store)
  mendDeleteObject(server.store)
  server.middleware.unshift(mendRequests(server.store))
}
const { port } = await server.run()
process.on('disconnect', () => process.exit())
process.send?.(port)

/** An object appears whole, or not at all when its connection breaks. */
function mendPutObject(store: Store): void {
  const unfinished = join(directory, 'unfinished')
  store.putObject = async (object) => {
    const path = store.getResourcePath(object.bucket, object.key, 'object')
    const temporaryPath = join(unfinished, randomUUID())
    await Promise.all([mkdir(dirname(path), { recursive: true }), mkdir(unfinished, { recursive: true })])
    const md5Hash = createHash('md5')
    let size = 0
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        md5Hash.update(chunk)
        size += chunk.byteLength
        done(null, chunk)
      },
    })
    try {
      await pipeline(object.content, meter, createWriteStream(temporaryPath))
    } catch (error) {
      await rm(temporaryPath, { force: true })
      throw error
    }
    const md5 = md5Hash.digest('hex')
    await store.putMetadata(object.bucket, object.key, object.metadata, md5)
    await rename(temporaryPath, path)
    return { size, md5 }
  }
}

/** s3rver also removes emptied folders, and fails when two deletions of one request do so at once. */
function mendDeleteObject(store: Store): void {
  store.deleteObject = async (name, key) => {
    const resources = ['object', 'object.md5', 'metadata.json']
    await Promise.all(resources.map((resource) => rm(store.getResourcePath(name, key, resource), { force: true })))
  }
}

/** Lists by the bytes of the keys; s3rver lists by its file names, which carry suffixes. */
function mendListing(store: Store): void {
  const listInFileOrder = store.listObjects.bind(store)
  store.listObjects = async (name, { startAfter = '', maxKeys = Number.POSITIVE_INFINITY, ...options }) => {
    const all = await listInFileOrder(name, options)
    const after = Buffer.from(startAfter)
    const objects = all.objects
      .map((object) => ({ object, bytes: Buffer.from(object.key) }))
      .filter(({ bytes }) => Buffer.compare(bytes, after) > 0)
      .sort((left, right) => Buffer.compare(left.bytes, right.bytes))
      .map(({ object }) => object)
    return { ...all, objects: objects.slice(0, maxKeys), isTruncated: objects.length > maxKeys }
  }
}

/** Conditional writes, suffix ranges and the abortion of multipart uploads, none of which s3rver knows. */
function mendRequests(store: Store) {
  const creating = new Set<string>()
  return async (context: Context, next: () => Promise<void>): Promise<void> => {
    const [, name = '', ...rest] = context.path.split('/').map(decodeURIComponent)
    const key = rest.join('/')
    if (context.method === 'DELETE' && context.query['uploadId'] !== undefined) {
      await rm(join(store.getResourcePath(name, undefined, 'uploads'), context.query['uploadId']), { recursive: true })
      context.status = 204
      return
    }
    if (context.method === 'GET' && context.headers['range'] !== undefined) {
      if (!(await mendRange(store, context, name, key))) return
    }
    const creates = context.method === 'PUT' ? !('partNumber' in context.query) : 'uploadId' in context.query
    if (!creates || context.headers['if-none-match'] !== '*') return next()
    if (creating.has(key)) return refuse(context, 409, 'ConditionalRequestConflict')
    creating.add(key)
    try {
      if (await store.existsObject(name, key)) return refuse(context, 412, 'PreconditionFailed')
      await next()
    } finally {
      creating.delete(key)
    }
  }
}

/** Rewrites a suffix range, refuses each range of an empty object; false when it has answered itself. */
async function mendRange(store: Store, context: Context, name: string, key: string): Promise<boolean> {
  if (!(await store.existsObject(name, key))) return true
  const objectBytes = Number((await store.getMetadata(name, key))['content-length'])
  if (objectBytes === 0) {
    refuse(context, 416, 'InvalidRange')
    return false
  }
  const [, suffixBytes] = /^bytes=-(\d+)$/.exec(context.headers['range'] ?? '') ?? []
  if (suffixBytes === undefined) return true
  const tailBytes = Math.min(objectBytes, Number(suffixBytes))
  context.headers['range'] = `bytes=${objectBytes - tailBytes}-${objectBytes - 1}`
  return true
}

function refuse(context: Context, status: number, code: string): void {
  context.status = status
  context.type = 'application/xml'
  context.body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
}
