import {
  type DescribeClusterRequest,
  type DescribeClusterResponse,
  ENDPOINT_BROKERS,
  ENDPOINT_CONTROLLERS,
} from '../apis/60-describe-cluster.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaFailure, kafkaFailure } from '../errors.js'
import { brokersFor, controllerOf } from './metadata.js'

/** The same picture of the cluster as Metadata gives. */
export async function handleDescribeCluster(
  context: RequestContext,
  { endpointType }: DescribeClusterRequest,
): Promise<DescribeClusterResponse> {
  const { cluster } = context.broker
  const refused = refusalOf(endpointType)
  if (refused !== undefined) {
    return { ...refused, endpointType, clusterId: cluster.clusterId, controllerId: -1, brokers: [] }
  }
  const agents = cluster.agentsFor(context.client)
  return {
    errorCode: KafkaError.NONE,
    errorMessage: null,
    endpointType,
    clusterId: cluster.clusterId,
    controllerId: controllerOf(agents, cluster.nodeId),
    brokers: brokersFor(context),
  }
}

function refusalOf(endpointType: number): KafkaFailure | undefined {
  if (endpointType === ENDPOINT_BROKERS) return undefined
  if (endpointType === ENDPOINT_CONTROLLERS) {
    return kafkaFailure(KafkaError.MISMATCHED_ENDPOINT_TYPE, 'This is a broker: there are no controllers of their own')
  }
  return kafkaFailure(KafkaError.UNSUPPORTED_ENDPOINT_TYPE, `Endpoint type ${endpointType} is not known`)
}
