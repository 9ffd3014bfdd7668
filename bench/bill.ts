import type { Measurement } from './measurement.js'

/** US dollars, list prices of us-east-1: Amazon S3 pricing, S3 Standard, requests and the first 50 TB of storage. */
const PUT_PRICE = 0.005 / 1_000
/** LIST is charged as PUT. */
const LIST_PRICE = PUT_PRICE
const GET_PRICE = 0.0004 / 1_000
const STORAGE_PRICE_PER_GIB_MONTH = 0.023
/** Amazon EC2 on-demand pricing, data transfer between availability zones: a cent each way. */
const CROSS_ZONE_PRICE_PER_GIB = 2 * 0.01
/** Of three zones a producer and a consumer meet their leader in another one twice out of three times; replicas always. */
const KAFKA_CROSS_ZONE_SHARE = 2 / 3 + 2 + 2 / 3
const STEADY_MIB_PER_S = 100
const RETENTION_DAYS = 1
const DAYS_PER_MONTH = 30
const GIB_PER_MONTH = (STEADY_MIB_PER_S / 1024) * DAYS_PER_MONTH * 86_400

export interface MeasuredCost {
  readonly putsPerGib: number
  readonly getsPerGib: number
  readonly listsPerGib: number
  /** Bytes of segments by bytes of producers' batches. */
  readonly storedShare: number
}

/** What an agent pays S3 at a steady rate, and what the same bytes cost a Kafka cluster over three zones in traffic alone. */
export function monthlyBill({ putsPerGib, getsPerGib, listsPerGib, storedShare }: MeasuredCost): Measurement[] {
  const requests = GIB_PER_MONTH * (putsPerGib * PUT_PRICE + getsPerGib * GET_PRICE + listsPerGib * LIST_PRICE)
  const storedGib = GIB_PER_MONTH * storedShare * (RETENTION_DAYS / DAYS_PER_MONTH)
  const storage = storedGib * STORAGE_PRICE_PER_GIB_MONTH
  const crossZone = GIB_PER_MONTH * KAFKA_CROSS_ZONE_SHARE * CROSS_ZONE_PRICE_PER_GIB
  const row = {
    benchmark: 'cost',
    unit: '$',
    limit: { name: "Kafka's cross-zone traffic", values: [crossZone] },
    settings:
      `list prices of us-east-1, ${STEADY_MIB_PER_S} MiB/s, kept ${RETENTION_DAYS} day; Kafka with replication factor 3 over three ` +
      'zones and one consumer that does not fetch from followers, its disks not counted',
  }
  return [
    { ...row, case: 'requests per month', values: [requests] },
    { ...row, case: 'storage per month', values: [storage] },
    { ...row, case: 'requests and storage per month', values: [requests + storage] },
  ]
}
