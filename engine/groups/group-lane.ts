import { type HeadraceError, isHeadraceError } from '../errors.js'
import type { Clock } from '../ports/clock.js'
import type { GroupCatalog, GroupClaim, GroupOffset, StoredGroup } from '../ports/group-catalog.js'
import type { Logger } from '../ports/logger.js'
import { coordinatorUnavailable } from './group-errors.js'

/** The group as the lane saves it. */
export interface Savable {
  readonly version: number
  stored(): StoredGroup
}

export interface LaneOptions {
  readonly catalog: GroupCatalog
  readonly claim: GroupClaim
  readonly clock: Clock
  readonly logger: Logger
  readonly groupId: string
  readonly group: Savable
  /** Another agent has claimed the group: nothing here can be written any more. */
  readonly onFenced: (error: HeadraceError) => void
}

/** Offsets of one transaction; more wait for the next. */
const OFFSETS_PER_COMMIT_MAX = 10_000
/** A write of unknown outcome that took longer is left to the client to repeat, which has waited long enough. */
const REPEAT_AFTER_MS_MAX = 8_000
/** Offsets that wait for the catalog; whoever comes then is told to come again. */
const OFFSETS_WAITING_MAX = 200_000

/**
 * A group's way to the catalog: one statement of it at a time, in order. Commits that arrive while another one is under way go
 * together in the next; a save writes the newest version, and everybody who waits for an older one is served by it.
 *
 * A commit is checked when it arrives and written before the next save begins. So it may be older than the generation in
 * memory, but nobody was told of that generation yet, and whoever is told of it finds the commit.
 */
export class GroupLane {
  readonly #options: LaneOptions
  #savedVersion = 0
  #isSaveWanted = false
  #savers: Settle<void>[] = []
  #commits: OffsetsToCommit[] = []
  #offsetsWaiting = 0
  #tasks: Task[] = []
  #isRunning = false
  #running: Promise<void> = Promise.resolve()
  #closedBy: HeadraceError | undefined

  constructor(options: LaneOptions) {
    this.#options = options
  }

  get isIdle(): boolean {
    return !this.#isRunning && this.#savedVersion >= this.#options.group.version
  }

  isSaved(version: number): boolean {
    return version <= this.#savedVersion
  }

  /** Resolves once the group is saved in `version` or a later one. @throws COORDINATOR_UNAVAILABLE, NOT_COORDINATOR */
  saved(version: number): Promise<void> {
    if (this.isSaved(version)) return Promise.resolve()
    return this.#enqueue((settle) => {
      this.#isSaveWanted = true
      this.#savers.push(settle)
    })
  }

  /** Saves if there is something unsaved, for nobody in particular. */
  saveSoon(): void {
    if (this.isSaved(this.#options.group.version)) return
    this.#isSaveWanted = true
    this.#pump()
  }

  /** Answers for each offset whether its partition exists. */
  commit(offsets: readonly GroupOffset[]): Promise<readonly boolean[]> {
    if (this.#offsetsWaiting > OFFSETS_WAITING_MAX) {
      return Promise.reject(coordinatorUnavailable('too many offsets wait to be committed: try again'))
    }
    this.#offsetsWaiting += offsets.length
    return this.#enqueue((settle) => this.#commits.push({ ...settle, offsets }))
  }

  /** Runs when nothing else does; the group may change meanwhile, its row does not. */
  alone<Result>(run: () => Promise<Result>): Promise<Result> {
    return this.#enqueue<Result>((settle) => this.#tasks.push({ ...settle, run } as Task))
  }

  /** Fails all that waits. What is under way ends by itself. */
  close(error: HeadraceError): void {
    this.#closedBy ??= error
    const waiting = [...this.#savers, ...this.#commits, ...this.#tasks]
    this.#savers = []
    this.#commits = []
    this.#tasks = []
    for (const { reject } of waiting) reject(error)
  }

  /** Resolves when nothing is under way. */
  async ended(): Promise<void> {
    await this.#running
  }

  #enqueue<Result>(add: (settle: Settle<Result>) => void): Promise<Result> {
    if (this.#closedBy) return Promise.reject(this.#closedBy)
    return new Promise((resolve, reject) => {
      add({ resolve, reject })
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    // What comes in one turn of the event loop goes together.
    await Promise.resolve()
    while (!this.#closedBy) {
      const save = this.#takeSave()
      const commits = this.#commits.splice(0)
      const task = this.#tasks.shift()
      if (!save && commits.length === 0 && !task) break
      while (commits.length > 0) await this.#commitSome(commits)
      if (save) await this.#perform(save.served, save.run)
      if (task) await this.#perform([task], async () => task.resolve(await task.run()))
    }
    // In the same breath as the look at the queues: whoever comes next starts the lane again.
    this.#isRunning = false
  }

  /** The group as it is now, to be written after the commits that were checked against it or its predecessors. */
  #takeSave(): { readonly served: readonly Settle<void>[]; readonly run: () => Promise<void> } | undefined {
    const { catalog, claim, group } = this.#options
    const { version } = group
    if (!this.#isSaveWanted) return undefined
    this.#isSaveWanted = false
    const served = this.#savers.splice(0)
    if (this.isSaved(version)) {
      // They came while just that version was being saved: nothing is left to write, and nobody else would answer them.
      for (const { resolve } of served) resolve()
      return undefined
    }
    const stored = group.stored()
    const run = async () => {
      await catalog.saveGroup(claim, stored)
      this.#savedVersion = version
      for (const { resolve } of served) resolve()
    }
    return { served, run }
  }

  async #commitSome(commits: OffsetsToCommit[]): Promise<void> {
    const taken: OffsetsToCommit[] = []
    const offsets: GroupOffset[] = []
    for (const commit of commits) {
      if (taken.length > 0 && offsets.length + commit.offsets.length > OFFSETS_PER_COMMIT_MAX) break
      taken.push(commit)
      for (const offset of commit.offsets) offsets.push(offset)
    }
    commits.splice(0, taken.length)
    await this.#perform(taken, async () => {
      const exists = await this.#options.catalog.commitGroupOffsets(this.#options.claim, offsets)
      let start = 0
      for (const commit of taken) {
        commit.resolve(exists.slice(start, start + commit.offsets.length))
        start += commit.offsets.length
      }
    })
    this.#offsetsWaiting -= offsets.length
  }

  /** All of these may be repeated: under one claim they write the same again. Not when it took long: the client waits. */
  async #perform(waiting: readonly Settle<never>[], write: () => Promise<void>): Promise<void> {
    const { groupId, logger, onFenced, clock } = this.#options
    try {
      if (this.#closedBy) throw this.#closedBy
      const startedMs = clock.monotonicMs()
      await write().catch((error: unknown) => {
        const isLate = clock.monotonicMs() - startedMs > REPEAT_AFTER_MS_MAX
        if (isHeadraceError(error, 'CATALOG_OUTCOME_UNKNOWN') && !isLate) return write()
        throw error
      })
    } catch (error) {
      const failure = failureOf(error)
      // What is refused and what the world does are answers; only the rest is a fault of ours.
      if (!isHeadraceError(error)) logger.error({ error, groupId }, 'a consumer group failed unexpectedly')
      for (const { reject } of waiting) reject(failure)
      if (isHeadraceError(error, 'NOT_COORDINATOR')) onFenced(error)
    }
  }
}

interface Settle<Result> {
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

interface OffsetsToCommit extends Settle<readonly boolean[]> {
  readonly offsets: readonly GroupOffset[]
}

interface Task extends Settle<unknown> {
  readonly run: () => Promise<unknown>
}

const OWN_CODES: readonly string[] = ['NOT_COORDINATOR', 'COORDINATOR_UNAVAILABLE', 'GROUP_NOT_EMPTY']

/** What the world does to the catalog is the same to every member: the coordinator cannot be used now. */
export function failureOf(error: unknown): unknown {
  if (!isHeadraceError(error) || OWN_CODES.includes(error.code)) return error
  return coordinatorUnavailable(`the group's state cannot be read or written now: ${error.message}`, error)
}
