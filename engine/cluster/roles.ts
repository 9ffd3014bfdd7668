import type { Intake, LogReader } from '../broker.js'
import { HeadraceError } from '../errors.js'

/** What an agent does: takes records, gives records, works in the background. All of it unless told otherwise. */
export type AgentRole = 'produce' | 'fetch' | 'jobs'
export const AGENT_ROLES: readonly AgentRole[] = ['produce', 'fetch', 'jobs']

/** Absent roles: all. */
export interface HasRoles {
  readonly roles?: readonly AgentRole[]
}

const CLIENT_ROLES: readonly AgentRole[] = ['produce', 'fetch']

export function hasRole({ roles = AGENT_ROLES }: HasRoles, role: AgentRole): boolean {
  return roles.includes(role)
}

/**
 * The agents that clients of `self` are told: those that do all that it does for clients, so that a client gets what it can
 * expect where it came in. One that does nothing for clients tells those that do everything.
 */
export function servingAgents<Agent extends HasRoles>(self: Agent, agents: readonly Agent[]): readonly Agent[] {
  const own = CLIENT_ROLES.filter((role) => hasRole(self, role))
  const wanted = own.length > 0 ? own : CLIENT_ROLES
  const able = agents.filter((agent) => wanted.every((role) => hasRole(agent, role)))
  if (able.length > 0) return able
  const some = agents.filter((agent) => CLIENT_ROLES.some((role) => hasRole(agent, role)))
  return some.length > 0 ? some : agents
}

/** The agents that run consumer groups: the same set whoever asks. */
export function coordinatingAgents<Agent extends HasRoles>(agents: readonly Agent[]): readonly Agent[] {
  const able = agents.filter((agent) => hasRole(agent, 'fetch'))
  return able.length > 0 ? able : agents
}

/** Stands for the intake of an agent without the role. */
export function refusingIntake(): Intake {
  return {
    append: async ({ batches }) => ({
      results: Promise.resolve(batches.map(() => ({ ok: false, error: roleMissing('produce') }))),
    }),
  }
}

/** Where logs begin and end an agent without the role still tells. */
export function refusingReader(reader: LogReader): LogReader {
  return {
    fetch: async ({ partitions }) =>
      partitions.map(() => ({
        error: roleMissing('fetch'),
        highWatermark: -1,
        logStartOffset: -1,
        chunks: [],
        bytes: 0,
      })),
    isAnswerMemoryWanted: false,
    listOffsets: (requests) => reader.listOffsets(requests),
  }
}

function roleMissing(role: AgentRole): HeadraceError {
  const text = `this agent does not have the role ${role}; refresh the metadata, or connect to an agent that has it`
  return new HeadraceError('ROLE_MISSING', 'safe', text)
}
