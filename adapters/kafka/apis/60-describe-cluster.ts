import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'

export interface DescribeClusterRequest {
  /** `ENDPOINT_…` */
  readonly endpointType: number
}

export const ENDPOINT_BROKERS = 1
export const ENDPOINT_CONTROLLERS = 2

export interface DescribeClusterResponse extends ApiError {
  readonly endpointType: number
  readonly clusterId: string
  readonly controllerId: number
  readonly brokers: readonly DescribedBroker[]
}

export interface DescribedBroker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export const describeCluster: ApiCodec<DescribeClusterRequest, DescribeClusterResponse> = {
  key: 60,
  name: 'DescribeCluster',
  validVersions: { min: 0, max: 1 },
  flexibleFrom: 0,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): DescribeClusterRequest {
  // Authorized operations: there are no ACLs, and the answer says "not known".
  reader.boolean()
  const endpointType = version >= 1 ? reader.i8() : ENDPOINT_BROKERS
  reader.tags()
  return { endpointType }
}

const AUTHORIZED_OPERATIONS_UNKNOWN = -2147483648

function encodeResponse(writer: WireWriter, response: DescribeClusterResponse, version: number): void {
  writer.i32(0)
  encodeApiError(writer, response)
  if (version >= 1) writer.i8(response.endpointType)
  writer.string(response.clusterId)
  writer.i32(response.controllerId)
  writer.array(response.brokers, (broker) => {
    writer.i32(broker.nodeId)
    writer.string(broker.host)
    writer.i32(broker.port)
    writer.nullableString(broker.rack)
    writer.tags()
  })
  writer.i32(AUTHORIZED_OPERATIONS_UNKNOWN)
  writer.tags()
}
