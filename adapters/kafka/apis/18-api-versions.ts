import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface ApiVersionsRequest {
  /** Null below version 3. */
  readonly clientSoftwareName: string | null
  readonly clientSoftwareVersion: string | null
}

export interface ApiVersionsResponse {
  readonly errorCode: number
  readonly apis: readonly AdvertisedApi[]
}

export interface AdvertisedApi {
  readonly key: number
  readonly min: number
  readonly max: number
}

/** A request in a version we do not know is answered in version 0, which every client can read (KIP-511). */
export const apiVersions: ApiCodec<ApiVersionsRequest, ApiVersionsResponse> = {
  key: 18,
  name: 'ApiVersions',
  validVersions: { min: 0, max: 4 },
  flexibleFrom: 3,
  responseHeaderFlexible: false,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): ApiVersionsRequest {
  if (version < 3) return { clientSoftwareName: null, clientSoftwareVersion: null }
  const clientSoftwareName = reader.string()
  const clientSoftwareVersion = reader.string()
  reader.tags()
  return { clientSoftwareName, clientSoftwareVersion }
}

function encodeResponse(writer: WireWriter, response: ApiVersionsResponse, version: number): void {
  writer.i16(response.errorCode)
  writer.array(response.apis, (api) => {
    writer.i16(api.key)
    writer.i16(api.min)
    writer.i16(api.max)
    writer.tags()
  })
  if (version >= 1) writer.i32(0)
  // Feature tags stay out: the one that matters would switch clients to transactions we do not have.
  writer.tags()
}
