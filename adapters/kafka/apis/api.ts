import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'

export interface VersionRange {
  readonly min: number
  readonly max: number
}

/** One API of the protocol: how its requests are read and its responses written, in every version we speak. */
export interface ApiCodec<Request, Response> {
  readonly key: number
  readonly name: string
  /** What `decodeRequest` reads and `encodeResponse` writes. */
  readonly validVersions: VersionRange
  /** What ApiVersions says, where that differs. */
  readonly advertisedVersions?: VersionRange
  /** First version with compact lengths and tag buffers. */
  readonly flexibleFrom: number
  /** ApiVersions alone answers with the oldest header, so that a client can read it before versions are agreed. */
  readonly responseHeaderFlexible: boolean
  /** `reader.flexible` is set to what `version` needs, here and for the writer. @throws WireError */
  decodeRequest(reader: WireReader, version: number): Request
  encodeResponse(writer: WireWriter, response: Response, version: number): void
}

export function isFlexible(codec: { readonly flexibleFrom: number }, version: number): boolean {
  return version >= codec.flexibleFrom
}
