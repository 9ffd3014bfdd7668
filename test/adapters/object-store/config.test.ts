import { resolve } from 'node:path'
import t from 'tap'
import { parseObjectStoreUrl } from '../../../adapters/object-store/config.js'

const VALID: Record<string, object> = {
  'file:///var/lib/headrace': { kind: 'file', directory: '/var/lib/headrace' },
  'file:///with%20space': { kind: 'file', directory: '/with space' },
  'file:./data': { kind: 'file', directory: resolve('data') },
  'file://./data': { kind: 'file', directory: resolve('data') },
  'memory://': { kind: 'memory', name: '' },
  'memory://shared': { kind: 'memory', name: 'shared' },
  's3://bucket': { kind: 's3', bucket: 'bucket', prefix: '', pathStyle: false },
  's3://my.bucket-1/a/b/?region=eu-central-1': {
    kind: 's3',
    bucket: 'my.bucket-1',
    prefix: 'a/b',
    region: 'eu-central-1',
    pathStyle: false,
  },
  's3://bucket/p?endpoint=http://127.0.0.1:9000': {
    kind: 's3',
    bucket: 'bucket',
    prefix: 'p',
    endpoint: 'http://127.0.0.1:9000',
    pathStyle: true,
  },
  's3://bucket?endpoint=https://s3.example.com/&path-style=false': {
    kind: 's3',
    bucket: 'bucket',
    prefix: '',
    endpoint: 'https://s3.example.com',
    pathStyle: false,
  },
}

await t.test('reads every form', async (t) => {
  for (const [url, config] of Object.entries(VALID)) {
    const parsed = parseObjectStoreUrl(url)
    t.same(parsed, config, url)
    t.same(structuredClone(parsed), config, 'plain data')
  }
})

const INVALID: Record<string, RegExp> = {
  '': /not a URL/,
  '/var/lib': /not a URL; use file/,
  'http://bucket': /not a known scheme/,
  'file://host/dir': /three slashes/,
  'file:///dir?x=1': /no parameters/,
  'memory://?x=1': /no parameters/,
  's3://': /not a bucket name/,
  's3://UPPER_case': /not a bucket name/,
  's3://b/p': /not a bucket name/,
  's3://bucket/50%/x': /percent escape/,
  's3://bucket?reigon=x': /parameter reigon is unknown/,
  's3://bucket?path-style=maybe': /true or false/,
  's3://bucket?endpoint=localhost:9000': /must start with http/,
  's3://bucket?endpoint=http://u:p@h': /credentials do not belong/,
  's3://key:secret@bucket': /credentials do not belong/,
}

await t.test('refuses with a text that tells what to write', async (t) => {
  for (const [url, message] of Object.entries(INVALID)) {
    t.throws(() => parseObjectStoreUrl(url), { code: 'CONFIG_INVALID', retry: 'never', message }, url)
  }
  t.throws(() => parseObjectStoreUrl('s3://key:secret@bucket'), { message: /^((?!secret).)*$/ })
})
