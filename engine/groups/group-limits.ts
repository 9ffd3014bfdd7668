/** What a group may grow to, and how long its clocks may run. */
export interface GroupLimits {
  readonly sessionTimeoutMinMs: number
  readonly sessionTimeoutMaxMs: number
  /** How long the first rebalance of an empty group waits for more members; again for each that came meanwhile. */
  readonly initialRebalanceDelayMs: number
  /** Members, and ids given to those who have not joined with them yet. */
  readonly memberCountMax: number
  readonly protocolCountMax: number
  /** All that members bring when they join, together. */
  readonly metadataBytesMax: number
  /** All assignments of a generation together. */
  readonly assignmentBytesMax: number
}

/**
 * Session timeouts as Kafka bounds them. The byte limits keep a group's row in one statement that every database takes
 * (written in hex it is twice as long), and are above what Kafka's own log of groups takes (1 MiB).
 */
export const DEFAULT_GROUP_LIMITS: GroupLimits = {
  sessionTimeoutMinMs: 6_000,
  sessionTimeoutMaxMs: 30 * 60_000,
  initialRebalanceDelayMs: 0,
  memberCountMax: 10_000,
  protocolCountMax: 64,
  metadataBytesMax: 2 * 1024 * 1024,
  assignmentBytesMax: 2 * 1024 * 1024,
}
