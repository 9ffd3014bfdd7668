import { readFileSync } from 'node:fs'
import { HeadraceError } from '../../engine/errors.js'

/** Where a catalog is, taken apart. `location` is for people: it never holds a user name or a password. */
export type CatalogPlace = SqlitePlace | MysqlPlace

export interface SqlitePlace {
  readonly kind: 'sqlite'
  readonly location: string
  /** A path, or `:memory:`. */
  readonly filename: string
}

export interface MysqlPlace {
  readonly kind: 'mysql'
  readonly location: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly tls: { readonly ca?: string } | undefined
}

const FORMS = 'sqlite:///path/to/file, sqlite::memory: or mysql://user:password@host:3306/database'
const SQLITE_PREFIX = 'sqlite://'
export const SQLITE_MEMORY = ':memory:'
const MYSQL_PORT = 3306

/** @throws CONFIG_INVALID, with a text that does not repeat the URL: it may hold a password. */
export function parseCatalogUrl(url: string): CatalogPlace {
  if (url === `sqlite:${SQLITE_MEMORY}`) return { kind: 'sqlite', location: url, filename: SQLITE_MEMORY }
  if (url.startsWith(SQLITE_PREFIX)) return parseSqlite(url)
  if (url.startsWith('mysql://')) return parseMysql(url)
  throw invalid(`it must be ${FORMS}`)
}

/** The path is taken as it stands, without percent-decoding: it is a file name, not a web address. */
function parseSqlite(url: string): SqlitePlace {
  const filename = url.slice(SQLITE_PREFIX.length)
  if (!filename.startsWith('/')) throw invalid('a SQLite catalog needs an absolute path: sqlite:///path/to/file')
  if (filename.endsWith('/')) throw invalid('a SQLite catalog is a file, not a directory: sqlite:///path/to/file')
  return { kind: 'sqlite', location: url, filename }
}

function parseMysql(text: string): MysqlPlace {
  // URL.parse is not in Node 20, and the error of `new URL` repeats its input.
  if (!URL.canParse(text)) throw invalid('it is not a valid URL; percent-encode special characters of the password')
  const url = new URL(text)
  const database = decode(url.pathname.slice(1))
  if (url.hostname === '') throw invalid('the host is missing: mysql://user:password@host:3306/database')
  if (!/^[A-Za-z0-9_$-]{1,64}$/.test(database)) {
    throw invalid('the database name is missing or unusual: mysql://user:password@host:3306/database')
  }
  if (url.username === '') throw invalid('the user name is missing: mysql://user:password@host:3306/database')
  const port = url.port === '' ? MYSQL_PORT : Number(url.port)
  return {
    kind: 'mysql',
    location: `mysql://${url.hostname}:${port}/${database}`,
    // An IPv6 address stands in brackets in URLs only.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    user: decode(url.username),
    password: decode(url.password),
    database,
    tls: parseTls(url.searchParams),
  }
}

function parseTls(parameters: URLSearchParams): { readonly ca?: string } | undefined {
  let tls = false
  let ca: string | undefined
  for (const [name, value] of parameters) {
    if (name === 'tls' && (value === 'true' || value === 'false')) tls = value === 'true'
    else if (name === 'tls-ca') ca = readCertificate(value)
    else throw invalid('its only parameters are tls=true|false and tls-ca=/path/to/ca.pem')
  }
  if (ca !== undefined) return { ca }
  return tls ? {} : undefined
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new HeadraceError('CONFIG_INVALID', 'never', `the catalog URL names tls-ca=${path}, which cannot be read`, {
      cause,
    })
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('its percent-encoding is broken')
  }
}

function invalid(why: string): HeadraceError {
  return new HeadraceError('CONFIG_INVALID', 'never', `the catalog URL cannot be used: ${why}`)
}
