import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HeadraceError } from '../../engine/errors.js'

/** A store's place as plain data, without credentials: it may be logged, and it crosses threads as it is. */
export type ObjectStoreConfig = FileConfig | MemoryConfig | S3Config

export interface FileConfig {
  readonly kind: 'file'
  readonly directory: string
}

export interface MemoryConfig {
  readonly kind: 'memory'
  /** Stores of one name in one thread share their objects; '' is always a fresh place. */
  readonly name: string
}

export interface S3Config {
  readonly kind: 's3'
  readonly bucket: string
  /** '' or a key prefix without a slash at its ends. */
  readonly prefix: string
  readonly region?: string
  /** `http://host:port` or `https://host`, for stores other than AWS. */
  readonly endpoint?: string
  /** The bucket in the path instead of the host name; the default with an endpoint. */
  readonly pathStyle: boolean
}

const FORMS = 'use file:///directory, s3://bucket/prefix?region=...&endpoint=... or memory://'
const S3_PARAMETERS = new Set(['region', 'endpoint', 'path-style'])
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/** @throws HeadraceError CONFIG_INVALID, with a text that says what to write instead. */
export function parseObjectStoreUrl(text: string): ObjectStoreConfig {
  const url = parseUrl(text)
  switch (url.protocol) {
    case 'file:':
      return parseFileUrl(text, url)
    case 'memory:':
      if (url.search !== '') throw invalid(text, 'memory:// takes no parameters')
      return { kind: 'memory', name: url.host + url.pathname.replace(/^\/$/, '') }
    case 's3:':
      return parseS3Url(text, url)
    default:
      throw invalid(text, `${url.protocol}// is not a known scheme; ${FORMS}`)
  }
}

function parseUrl(text: string): URL {
  try {
    return new URL(text)
  } catch (error) {
    throw invalid(text, `it is not a URL; ${FORMS}`, error)
  }
}

function parseFileUrl(text: string, url: URL): FileConfig {
  if (url.search !== '' || url.hash !== '') throw invalid(text, 'file:// takes no parameters')
  // file:./data and file://./data mean the working directory, which the URL parser would silently drop.
  const relative = /^file:(?:\/\/)?(\.{1,2}(?:\/.*)?)$/.exec(text)?.[1]
  try {
    const directory = relative === undefined ? fileURLToPath(url) : resolve(decodeURIComponent(relative))
    return { kind: 'file', directory }
  } catch (error) {
    throw invalid(text, 'a directory is written with three slashes, as in file:///var/lib/headrace', error)
  }
}

function parseS3Url(text: string, url: URL): S3Config {
  if (url.username !== '' || url.password !== '') {
    throw invalid(text, 'credentials do not belong in the URL; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
  }
  const unknown = [...url.searchParams.keys()].find((name) => !S3_PARAMETERS.has(name))
  if (unknown !== undefined) {
    throw invalid(text, `parameter ${unknown} is unknown; there are ${[...S3_PARAMETERS].join(', ')}`)
  }
  if (!BUCKET.test(url.hostname)) throw invalid(text, `"${url.hostname}" is not a bucket name`)
  const region = url.searchParams.get('region') || undefined
  const endpoint = parseEndpoint(text, url.searchParams.get('endpoint'))
  return {
    kind: 's3',
    bucket: url.hostname,
    prefix: parsePrefix(text, url.pathname),
    pathStyle: parseBoolean(text, url.searchParams.get('path-style')) ?? endpoint !== undefined,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  }
}

function parsePrefix(text: string, path: string): string {
  try {
    return decodeURIComponent(path).replace(/^\/+|\/+$/g, '')
  } catch (error) {
    throw invalid(text, 'its prefix has a broken percent escape; write a percent sign as %25', error)
  }
}

function parseEndpoint(text: string, endpoint: string | null): string | undefined {
  if (endpoint === null || endpoint === '') return undefined
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    throw invalid(text, `endpoint "${endpoint}" must start with http:// or https://`)
  }
  const { username, password, origin, pathname } = new URL(endpoint)
  if (username !== '' || password !== '') throw invalid(text, 'credentials do not belong in the endpoint')
  return origin + pathname.replace(/\/+$/, '')
}

function parseBoolean(text: string, value: string | null): boolean | undefined {
  if (value === null) return undefined
  if (value === 'true' || value === '') return true
  if (value === 'false') return false
  throw invalid(text, `path-style is true or false, not "${value}"`)
}

/** The text may hold credentials by mistake: what looks like them is not repeated into a log. */
function invalid(text: string, reason: string, cause?: unknown): HeadraceError {
  const shown = text.replace(/\/\/[^/@]*@/g, '//***@')
  return new HeadraceError('CONFIG_INVALID', 'never', `object store ${JSON.stringify(shown)}: ${reason}`, { cause })
}
