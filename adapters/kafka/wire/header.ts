import type { WireReader } from './reader.js'
import type { WireWriter } from './writer.js'

/**
 * Request header:
 *
 *     i16 api key | i16 version | i32 correlation id | nullable string client id | tags (flexible versions only)
 *
 * The front is read first: which header follows depends on the API and version it names.
 */
export interface RequestFront {
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
}

export function decodeRequestFront(reader: WireReader): RequestFront {
  return { apiKey: reader.i16(), version: reader.i16(), correlationId: reader.i32() }
}

/** The rest of the header; `reader.flexible` is set already. Returns the client id. */
export function decodeRequestHeaderRest(reader: WireReader): string | null {
  const clientId = reader.nullableShortString()
  reader.tags()
  return clientId
}

/** Response header: i32 correlation id | tags (flexible versions, but never of ApiVersions: KIP-511). */
export function encodeResponseHeader(writer: WireWriter, correlationId: number): void {
  writer.i32(correlationId)
  writer.tags()
}
