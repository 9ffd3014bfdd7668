import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import type { CommitLimits, TopicConfigs } from '../../engine/ports/catalog.js'
import type { ClaimedGroup } from '../../engine/ports/group-catalog.js'
import { type CatalogReply, type CatalogRequest, errorData } from './catalog-messages.js'
import { type PackedOutcome, type PackedSegments, packOutcomes, unpackSegments } from './commit-messages.js'
import { type CatalogOptions, openCatalog } from './index.js'

/** The entry of the catalog's thread: does what `ThreadedCatalog` asks, as many calls side by side as come. */
export interface CatalogThreadSettings {
  readonly url: string
  readonly options: CatalogOptions
}

assert(parentPort !== null, 'this is the entry of a thread')
const port = parentPort
const { url, options }: CatalogThreadSettings = workerData
const catalog = openCatalog(url, options)
const waitingForConfigs = new Map<number, (configs: TopicConfigs | undefined) => void>()

port.on('message', (request: CatalogRequest) => {
  if (request.kind === 'call') void serve(request)
  else waitingForConfigs.get(request.call)?.(request.configs)
})

async function serve(request: Extract<CatalogRequest, { kind: 'call' }>): Promise<void> {
  const { call, method } = request
  try {
    reply({ kind: 'value', call, value: cloneable(await invoke(request)) })
  } catch (error) {
    reply({ kind: 'error', call, error: errorData(error) })
  }
  // Nothing holds the thread any more: it ends.
  if (method === 'close') port.close()
}

function invoke({ call, method, args }: Extract<CatalogRequest, { kind: 'call' }>): Promise<unknown> {
  if (method === 'updateTopicConfigs') {
    return catalog.updateTopicConfigs(args[0] as string, (configs) => askForConfigs(call, configs))
  }
  if (method === 'commit') return commit(args[0] as PackedSegments, args[1] as CommitLimits)
  const methods = catalog as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>
  return methods[method]!(...args)
}

async function commit(packed: PackedSegments, limits: CommitLimits): Promise<PackedOutcome[]> {
  const segments = unpackSegments(packed)
  return packOutcomes(await catalog.commit(segments, limits), segments)
}

/** The lock is held meanwhile: for as long as it takes to ask another thread. */
async function askForConfigs(call: number, configs: TopicConfigs): Promise<TopicConfigs> {
  const answer = await new Promise<TopicConfigs | undefined>((resolve) => {
    waitingForConfigs.set(call, resolve)
    reply({ kind: 'configs', call, configs })
  })
  waitingForConfigs.delete(call)
  if (answer === undefined) throw new Error('the change of configs was refused')
  return answer
}

/** A group's record comes from the driver, perhaps as a view of its pool: that would be sent whole, or not at all. */
function cloneable(value: unknown): unknown {
  if (!isClaimedGroup(value)) return value
  return { ...value, group: { ...value.group, record: new Uint8Array(value.group.record) } }
}

function isClaimedGroup(value: unknown): value is ClaimedGroup {
  return typeof value === 'object' && value !== null && 'claim' in value && 'group' in value
}

function reply(message: CatalogReply): void {
  port.postMessage(message)
}
