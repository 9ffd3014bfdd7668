import type { ClientInfo, ClusterAgent } from '../broker.js'
import type { PartitionRef } from '../model.js'

/**
 * `consistent-hash`: batches of a partition meet at one agent, whoever sends them, and share segments.
 * `single-agent`: a client has all its partitions at one agent, so that it keeps one connection.
 */
export type PlacementStrategy = 'consistent-hash' | 'single-agent'

export function placeFor(
  strategy: PlacementStrategy,
  partition: PartitionRef,
  agents: readonly ClusterAgent[],
  client: ClientInfo,
): ClusterAgent {
  if (strategy === 'consistent-hash') return placePartition(partition, agents)
  return highestScore(hashText(`${client.clientId ?? ''}@${client.remoteAddress}`), agents)
}

/**
 * Which agent a partition's traffic should meet at: rendezvous hashing. Each agent gets a score for the partition, and
 * the highest wins: evenly spread, the same on every agent, and when an agent goes only its own partitions move. An
 * optimisation that lets batches of a partition share segments; never ownership.
 */
export function placePartition(partition: PartitionRef, agents: readonly ClusterAgent[]): ClusterAgent {
  return highestScore(hashText(partition.topicId) + Math.imul(partition.partition + 1, 0x9e3779b1), agents)
}

/** Which agent coordinates a consumer group, by the same rule whatever the strategy. */
export function placeGroup<Agent extends ClusterAgent>(groupId: string, agents: readonly Agent[]): Agent {
  return highestScore(hashText(groupId), agents)
}

function highestScore<Agent extends ClusterAgent>(hash: number, agents: readonly Agent[]): Agent {
  let best: Agent | undefined
  let bestScore = -1
  for (const agent of agents) {
    const score = mix(hash ^ mix(agent.nodeId + 1))
    if (score > bestScore || (score === bestScore && best !== undefined && agent.nodeId < best.nodeId)) {
      best = agent
      bestScore = score
    }
  }
  if (best === undefined) throw new Error('nothing can be placed on no agent')
  return best
}

/** FNV-1a over UTF-16 units. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash | 0
}

/** The 32-bit finalizer of MurmurHash3: every input bit reaches every output bit. */
function mix(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
