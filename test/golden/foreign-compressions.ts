/**
 * What other programs made of `PLAIN_TEXT`: zstd 1.5.4, lz4 1.9.4, gzip. Base64.
 */
export const PLAIN_TEXT = Array.from({ length: 200 }, (_, line) => `line ${line % 37} of the log\n`).join('')

export const FOREIGN_COMPRESSIONS: readonly { readonly codec: number; readonly by: string; readonly base64: string }[] =
  [
    {
      codec: 1,
      by: 'gzip -nc',
      base64: [
        'H4sIAAAAAAAAA+3SsQ3CQBhD4Z4pbgTsn5BkoEAinUiT/YWo302A3Lr6ZL1+fLZ2b+erXfvW+vm+9d8iLMZSWB5YJixPLDOWBctK',
        '4QBNtcgW3SJclIt00S7iRb2p9+Bz6k29qTf1pt7Um3pTX9QX9TVIhvqivqgv6hNtok20iTbRJtpEm2gTbaJNtP8U7ReBCdffnA4A',
        'AA==',
      ].join(''),
    },
    {
      codec: 4,
      by: 'zstd -19 from a stream: window descriptor, checksum',
      base64: [
        'KLUv/QRoBQMAEkUOELDrP0/XmCREkoSkJDUGuhLj4uG/3+eNi4mHhYNvu06blpKOioa+bps1hQwR7oLkGB71EDlMPG2xJqgxQH3/',
        'DeDlmgERNAQ7hOn7//8G5MNVpxcRtrNSKUOoVVYBvaitTw==',
      ].join(''),
    },
    {
      codec: 4,
      by: 'zstd -1 --no-check from a stream: no checksum',
      base64: [
        'KLUv/QBIjQQAAgQNE6BFHQCbs/9DVX5rRohM1tk3mzHomEJG27b9/3+SJEmiYwoZnZeYWsDQ1iWiOKFdcImpFS8gcKOSxyvD5YP5',
        'ZmYW883MzVLOUDgBwx4ceuBdj3nCOx7zhHce64l3PeZJ7zzWE+/2WDBPgHr302M+PenpHU+P7fREp3c5vcBJbmZnme/MZjnfzOYs',
        'qFmPAQ==',
      ].join(''),
    },
    {
      codec: 4,
      by: 'zstd of a file: one segment with its size',
      base64: [
        'KLUv/WScDcUEANQDbGluZSAwIG9mIHRoZSBsb2cKMTIzNDU2Nzg5MTExMTExMTExMjIyMjIyMjIyMjMzMzMzMzMyMzQ1Njc4OTAg',
        'gKOSxyvD5cP5ZnaW+cxsFvOBmSvONiCJ3nmsJ97xmCe885gnvfMYT7zrMU94t8eCeALUu9885sOTXt7x9NjunujwLpcXOMnNzCzz',
        'mdks5pvZLH1eJcQwvaitTw==',
      ].join(''),
    },
    {
      codec: 3,
      by: 'lz4 -9 -BD --content-size: dependent blocks, content size',
      base64: [
        'BCJNGGxAnA4AAAAAAACNugAAAPEDbGluZSAwIG9mIHRoZSBsb2cKEgAdMRIAHTISAB0zEgAdNBIAHTUSAB02EgAdNxIAHTgSAB45',
        'ogAPtQAADrYAHjG3AB4xuAAeMbkAHjG6AB4xuwAeMbwAHjG9AB4xvgAeMr4AHzJ0AQAOvgAeMr4AHjK+AB4yvgAeMr4AHjK+AB4y',
        'vgAeMr4AHjO+AB4zvgAfMzMCAA6+AB4zvgAeM74AHjO+AA+1Av//////////////1VAgbG9nCgAAAABRmsOO',
      ].join(''),
    },
    {
      codec: 3,
      by: 'lz4 -B4 -BX: independent blocks with checksums',
      base64: [
        'BCJNGHRAvdoAAADxA2xpbmUgMCBvZiB0aGUgbG9nChIAHTESAB0yEgAdMxIAHTQSAB01EgAdNhIAHTcSAB04EgAdORIAHzG1AAAO',
        'tgAeMbcAHjG4AB4xuQAeMboAHjG7AB4xvAAeMb0AHjG+AB4yvgAeMr4AHjK+AB4yvgAeMr4AHjK+AB4yvgAeMr4AHjK+AB4yvgAe',
        'M74AHjO+AB4zvgAeM74AHjO+AB4zvgAeM74ADoQADoMAD4IAAA1JAg6AAA5/AA5+AA47AQ46AQ45AQ+1Av//////////////IVAg',
        'bG9nCv8uaGQAAAAAUZrDjg==',
      ].join(''),
    },
  ]
