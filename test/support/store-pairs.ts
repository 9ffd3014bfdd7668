import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMariadb } from './mariadb.js'
import { S3_SERVER_CREDENTIALS, startS3Server } from './s3-server.js'

/** An object store and a catalog that live as long as a test, and what an agent must be told to use them. */
export interface Stores {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface StorePair {
  readonly name: string
  open(t: Teardown): Promise<Stores>
}

/** The part of a tap test that ends things with it; the last one added is the first to run. */
export interface Teardown {
  teardown(end: () => void | Promise<void>): void
}

/** A directory and SQLite: an agent without any server beside it. */
export const embedded: StorePair = {
  name: 'directory and SQLite',
  async open(t) {
    const directory = await mkdtemp(join(tmpdir(), 'headrace-e2e-'))
    t.teardown(() => rm(directory, { recursive: true, force: true }))
    const objectStore = `file://${join(directory, 'objects')}`
    return { args: ['--object-store', objectStore, '--catalog', `sqlite://${join(directory, 'catalog.db')}`], env: {} }
  },
}

/** S3 and a MySQL-compatible server: what several agents share. */
export const scaleOut: StorePair = {
  name: 'S3 and MariaDB',
  async open(t) {
    const s3 = await startS3Server()
    t.teardown(() => s3.stop())
    const mariadb = await startMariadb()
    t.teardown(() => mariadb.stop())
    return s3Stores(s3.url, mariadb.url)
  },
}

export const storePairs: readonly StorePair[] = [embedded, scaleOut]

export function s3Stores(objectStoreUrl: string, catalogUrl: string): Stores {
  const { accessKeyId, secretAccessKey } = S3_SERVER_CREDENTIALS
  return {
    // The interval that makes sense on S3 would make tests wait: local PUTs are quick and cost nothing.
    args: ['--object-store', objectStoreUrl, '--catalog', catalogUrl, '--flush-interval', '25ms'],
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  }
}
