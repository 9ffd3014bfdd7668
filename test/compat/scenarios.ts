import { CODECS, type Codec, type Driver } from './driver.js'
import {
  commitAndResume,
  groupDeletion,
  groupRebalance,
  groupTools,
  slowConsumer,
  staticMembership,
} from './group-scenarios.js'
import {
  adminRoundTrip,
  bigMessages,
  idempotence,
  produceAndConsume,
  seekByTimestamp,
  thousandPartitions,
  topicSettings,
} from './log-scenarios.js'

/** What a scenario runs in: a client, and topics that nobody else uses. */
export interface Place {
  readonly driver: Driver
  /** Another client's reading, to tell a client that misunderstands itself from one that works. */
  readonly witness: Driver
  /** Makes a topic, by other means than the client. */
  topic(partitionCount: number): Promise<string>
  /** Sends one record to each of the partitions, by other means than the client. */
  fill(topic: string, partitionCount: number): Promise<void>
  /** Cuts all connections again and again while `during` runs. */
  withCuts(during: () => Promise<void>): Promise<void>
  /** A name that nobody has had. */
  unused(name: string): string
}

export interface Scenario {
  readonly id: string
  readonly title: string
  /** Part of every test run; the others only of `npm run compat`. */
  readonly core: boolean
  readonly codec?: Codec
  /** It cuts everybody's connections. */
  readonly cuts?: boolean
  /** Rejects with what went wrong. */
  run(place: Place): Promise<void>
}

export const scenarios: readonly Scenario[] = [
  ...CODECS.map(
    (codec): Scenario => ({
      id: `codec-${codec}`,
      title: codec === 'none' ? 'produce and consume, uncompressed' : `produce and consume, ${codec}`,
      core: true,
      codec,
      run: (place) => produceAndConsume(place, codec),
    }),
  ),
  { id: 'group-rebalance', title: 'a group while members come and go', core: true, run: groupRebalance },
  { id: 'static-membership', title: 'static membership', core: true, run: staticMembership },
  { id: 'commit-and-resume', title: 'commit and resume', core: true, run: commitAndResume },
  { id: 'seek-by-timestamp', title: 'seek by timestamp', core: true, run: seekByTimestamp },
  { id: 'admin-round-trip', title: 'create, describe, delete, create again', core: true, run: adminRoundTrip },
  { id: 'topic-settings', title: 'topic configs, and more partitions', core: true, run: topicSettings },
  { id: 'group-tools', title: 'list and describe groups', core: true, run: groupTools },
  { id: 'group-deletion', title: 'delete a group', core: true, run: groupDeletion },
  {
    id: 'idempotence',
    title: 'idempotent producer over cut connections',
    core: true,
    cuts: true,
    run: idempotence,
  },
  { id: 'thousand-partitions', title: 'a topic of 1000 partitions', core: false, run: thousandPartitions },
  { id: 'big-messages', title: 'big messages, and one too big', core: false, run: bigMessages },
  { id: 'slow-consumer', title: 'a consumer slower than its session', core: false, run: slowConsumer },
]
