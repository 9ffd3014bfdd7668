import { readFileSync } from 'node:fs'
import type { ApiCodec } from '../../../adapters/kafka/apis/api.js'
import { apiCodecs } from '../../../adapters/kafka/apis/registry.js'
import { endpoints } from '../../../adapters/kafka/endpoints.js'
import { decodeRequestFront, decodeRequestHeaderRest } from '../../../adapters/kafka/wire/header.js'
import { type RecordsField, WireReader } from '../../../adapters/kafka/wire/reader.js'
import { type ApiName, clientCodecs } from './client-codec.js'

/**
 * Golden files: frames of real clients as annotated hex. A frame starts with `== API vN request|response`; of each line
 * the part before `#` is its bytes. The annotations are made by `annotate`, and a test compares them, so that a
 * reviewer can trust what they say.
 */
export interface GoldenFrame {
  readonly api: ApiName
  readonly version: number
  readonly kind: 'request' | 'response'
  /** With the length in front. */
  readonly bytes: Uint8Array
}

const GOLDEN_FOLDER = new URL('../../../../test/golden/kafka/', import.meta.url)

export function readGolden(name: string): { readonly text: string; readonly frames: readonly GoldenFrame[] } {
  const text = readFileSync(new URL(name, GOLDEN_FOLDER), 'utf8')
  return { text, frames: parse(text) }
}

function parse(text: string): GoldenFrame[] {
  return text
    .split(/^== /m)
    .slice(1)
    .map((section) => {
      const [title = '', ...lines] = section.split('\n')
      const [, api, version, kind] = /^(\w+) v(\d+) (request|response)$/.exec(title) ?? []
      const hex = lines.map((line) => line.replace(/#.*$/, '').replaceAll(' ', '')).join('')
      return {
        api: api as ApiName,
        version: Number(version),
        kind: kind as GoldenFrame['kind'],
        bytes: new Uint8Array(Buffer.from(hex, 'hex')),
      }
    })
}

/** The frame of a request, told by its own header. */
export function goldenRequest(bytes: Uint8Array): GoldenFrame {
  const { apiKey, version } = decodeRequestFront(new WireReader([bytes.subarray(4)]))
  return { api: apiNameOf(apiKey), version, kind: 'request', bytes }
}

export function apiNameOf(apiKey: number): ApiName {
  const found = (Object.entries(apiCodecs) as [ApiName, ApiCodec<unknown, never>][]).find(
    ([, { key }]) => key === apiKey,
  )
  if (found === undefined || !endpoints.has(apiKey)) throw new Error(`API ${apiKey} is not one of ours`)
  return found[0]
}

/** The text of a golden file with these frames. */
export function annotate(frames: readonly GoldenFrame[]): string {
  return frames
    .map((frame) => `== ${frame.api} v${frame.version} ${frame.kind}\n${annotateFrame(frame).join('\n')}\n`)
    .join('\n')
}

function annotateFrame({ api, version, kind, bytes }: GoldenFrame): string[] {
  const reader = new TracingReader(bytes)
  const codec = apiCodecs[api] as ApiCodec<unknown, never>
  const flexible = version >= codec.flexibleFrom
  reader.i32()
  if (kind === 'request') {
    decodeRequestFront(reader)
    reader.flexible = flexible
    decodeRequestHeaderRest(reader)
    codec.decodeRequest(reader, version)
  } else {
    reader.i32()
    reader.flexible = flexible && codec.responseHeaderFlexible
    reader.tags()
    reader.flexible = flexible
    clientCodecs[api].decodeResponse(reader, version)
  }
  if (reader.remaining !== 0) throw new Error(`${reader.remaining} bytes of a golden frame were left unread`)
  return reader.lines
}

/** Writes down every primitive that is read, and where. */
class TracingReader extends WireReader {
  readonly lines: string[] = []
  readonly #bytes: Uint8Array
  #nested = false

  constructor(bytes: Uint8Array) {
    super([bytes])
    this.#bytes = bytes
  }

  override i8 = () => this.#trace('i8', () => super.i8())
  override i16 = () => this.#trace('i16', () => super.i16())
  override i32 = () => this.#trace('i32', () => super.i32())
  override i64 = () => this.#trace('i64', () => super.i64())
  override boolean = () => this.#trace('boolean', () => super.boolean())
  override uuid = () => this.#trace('uuid', () => super.uuid())
  override uvarint = () => this.#trace('uvarint', () => super.uvarint())
  override nullableString = () => this.#trace('string', () => super.nullableString())
  override nullableShortString = () => this.#trace('string', () => super.nullableShortString())
  override bytes = () => this.#trace('bytes', () => super.bytes())
  override records = () => this.#trace('records', () => super.records())
  override skip = (bytes: number) => this.#trace('skipped', () => super.skip(bytes))

  #trace<T>(type: string, read: () => T): T {
    if (this.#nested) return read()
    const start = this.position
    this.#nested = true
    const value = read()
    this.#nested = false
    if (this.position > start) {
      const hex = Buffer.from(this.#bytes.subarray(start, this.position)).toString('hex')
      this.lines.push(`${hex}  # ${type} ${describe(type, value)}`.trimEnd())
    }
    return value
  }
}

function describe(type: string, value: unknown): string {
  if (type === 'records') return describeRecords(value as RecordsField | null)
  if (type === 'bytes') return JSON.stringify(Buffer.from(value as Uint8Array).toString('latin1'))
  return JSON.stringify(value) ?? ''
}

function describeRecords(records: RecordsField | null): string {
  return records === null ? 'null' : `${records.bytes} bytes, magic ${records.magic ?? 'none'}`
}
