import type { GroupProtocol } from './group-coordinator.js'
import { NO_BYTES } from './group-members.js'

/** Who brings protocols, in order of preference. */
interface Voter {
  readonly protocols: readonly GroupProtocol[]
}

/** Protocols that all of them know, in the order of the first one. */
export function commonProtocols(voters: Iterable<Voter>): string[] {
  let common: string[] | undefined
  for (const { protocols } of voters) {
    const names = new Set(protocols.map(({ name }) => name))
    common = common === undefined ? [...names] : common.filter((name) => names.has(name))
  }
  return common ?? []
}

/** Everybody votes for the protocol they like best of those that all know; undefined when there is none. */
export function selectProtocol(voters: Iterable<Voter>): string | undefined {
  const all = [...voters]
  const votes = new Map(commonProtocols(all).map((name) => [name, 0]))
  for (const { protocols } of all) {
    const choice = protocols.find(({ name }) => votes.has(name))
    if (choice) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  let winner: string | undefined
  for (const [name, count] of votes) if (winner === undefined || count > (votes.get(winner) ?? 0)) winner = name
  return winner
}

export function metadataOf({ protocols }: Voter, protocolName: string): Uint8Array {
  return protocols.find(({ name }) => name === protocolName)?.metadata ?? NO_BYTES
}

export function sameProtocols(left: readonly GroupProtocol[], right: readonly GroupProtocol[]): boolean {
  return (
    left.length === right.length &&
    left.every((protocol, index) => {
      const other = right[index]
      return other?.name === protocol.name && equalBytes(protocol.metadata, other.metadata)
    })
  )
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && left.every((byte, index) => byte === right[index])
}
