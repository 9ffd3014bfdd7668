import type { ClusterAgent } from '../../../engine/broker.js'
import type { Topic } from '../../../engine/model.js'
import type { MetadataPartition } from '../apis/03-metadata.js'
import type { RequestContext } from '../context.js'

/**
 * Partitions `first` to before `end` as a client sees them. The object store replicates; clients want to see replicas all the
 * same: the nodes that an administrator named, or the leader alone. The leader is chosen without regard to them.
 */
export function describePartitions(
  { broker, client }: RequestContext,
  { topicId, assignment }: Topic,
  first: number,
  end: number,
  agents: readonly ClusterAgent[],
): MetadataPartition[] {
  const live = new Set(agents.map(({ nodeId }) => nodeId))
  return Array.from({ length: Math.max(0, end - first) }, (_, index) => {
    const partition = first + index
    const leaderId = broker.cluster.leaderOf({ topicId, partition }, agents, client).nodeId
    const assigned = assignment?.[partition] ?? []
    if (assigned.length === 0)
      return { partition, leaderId, replicaIds: [leaderId], inSyncIds: [leaderId], offlineIds: [] }
    const inSyncIds = assigned.filter((nodeId) => live.has(nodeId))
    return {
      partition,
      leaderId,
      replicaIds: assigned,
      inSyncIds: inSyncIds.length > 0 ? inSyncIds : [leaderId],
      offlineIds: assigned.filter((nodeId) => !live.has(nodeId)),
    }
  })
}
