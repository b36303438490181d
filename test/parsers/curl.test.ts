import { describe, expect, test } from 'vitest'
import curl, { parseCurl } from '../../parsers/curl.ts'
import { readCurlCommand } from '../../parsers/lib/curl-command.ts'
import { ParseError } from '../../src/model/errors.ts'

const only = (text: string) => {
  const [transfer, ...more] = curl.parse(text)
  expect(more).toEqual([])
  return transfer
}

describe('short texts', () => {
  test.each([
    ['curl: (56) Recv failure: Connection reset by peer', 56, 'Recv failure: Connection reset by peer'],
    ['curl: (6) Could not resolve host: web.shop', 6, 'Could not resolve host: web.shop'],
    ['curl: (52) Empty reply from server\ncommand terminated with exit code 52', 52, 'Empty reply from server'],
    ['* Recv failure: Connection reset by peer\n* Closing connection 0', 56, 'Recv failure: Connection reset by peer'],
    ['command terminated with exit code 7', 7, null],
  ])('%j', (text, errorCode, errorText) => {
    expect(only(text)).toMatchObject({ errorCode, errorText, status: null, tls: null })
  })

  test('with -f the refused answer is told by the error', () => {
    expect(only('curl: (22) The requested URL returned error: 503')).toMatchObject({ errorCode: 22, status: 503 })
  })

  test.each(['RBAC: access denied', '', '{"a":1}\n', 'NAME  READY\nweb-1 2/2\n', 'curl is a tool'])(
    '%j is refused',
    (text) => {
      expect(() => curl.parse(text)).toThrow(ParseError)
    },
  )
})

describe('whole transcripts', () => {
  test('a certificate that is not trusted', () => {
    const transfer = only(`* Host shop.example.com:443 was resolved.
* IPv6: (none)
* IPv4: 203.0.113.9
*   Trying 203.0.113.9:443...
* Connected to shop.example.com (203.0.113.9) port 443
* ALPN: curl offers h2,http/1.1
* TLSv1.3 (OUT), TLS handshake, Client hello (1):
* TLSv1.3 (OUT), TLS alert, unknown CA (560):
* SSL certificate problem: unable to get local issuer certificate
* closing connection #0
curl: (60) SSL certificate problem: unable to get local issuer certificate
More details here: https://curl.se/docs/sslcerts.html
`)
    expect(transfer).toMatchObject({
      host: 'shop.example.com',
      port: 443,
      sni: 'shop.example.com',
      tried: ['203.0.113.9:443'],
      connectedTo: '203.0.113.9:443',
      errorCode: 60,
      tls: {
        verification: 'failed',
        errors: [
          'TLSv1.3 (OUT), TLS alert, unknown CA (560):',
          'SSL certificate problem: unable to get local issuer certificate',
        ],
      },
    })
  })

  test('an answer over HTTP/2 with an ignored certificate', () => {
    const transfer = only(`$ curl -vk https://shop.example.com:8443/a?b=1
*   Trying [2001:db8::1]:8443...
* Immediate connect fail for 2001:db8::1: Network is unreachable
*   Trying 203.0.113.9:8443...
* Connected to shop.example.com (203.0.113.9) port 8443
* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 / X25519 / RSASSA-PSS
* ALPN: server accepted h2
* Server certificate:
*  subject: CN=shop
*  expire date: Aug 20 10:00:00 2027 GMT
*  issuer: CN=ca
*  SSL certificate verify result: self-signed certificate (18), continuing anyway.
* using HTTP/2
* [HTTP/2] [1] OPENED stream for https://shop.example.com:8443/a?b=1
> GET /a?b=1 HTTP/2
> Host: shop.example.com:8443
> Accept: */*
>${' '}
< HTTP/2 403${' '}
< content-length: 19
< server: istio-envoy
<${' '}
RBAC: access denied* Connection #0 to host shop.example.com left intact
`)
    expect(transfer).toMatchObject({
      url: 'https://shop.example.com:8443/a?b=1',
      path: '/a?b=1',
      port: 8443,
      status: 403,
      protocol: 'HTTP/2',
      tried: ['[2001:db8::1]:8443', '203.0.113.9:8443'],
      body: 'RBAC: access denied',
      errorCode: null,
      tls: { version: 'TLSv1.3', alpn: 'h2', subject: 'CN=shop', issuer: 'CN=ca', verification: 'skipped' },
    })
    expect(transfer?.responseHeaders).toContainEqual(['server', 'istio-envoy'])
  })

  test('two requests over one connection are two transfers', () => {
    const transfers = curl.parse(`*   Trying 10.0.0.1:80...
* Connected to a (10.0.0.1) port 80 (#0)
> GET /1 HTTP/1.1
> Host: a
>
< HTTP/1.1 100 Continue
<
< HTTP/1.1 302 Found
< location: /2
< set-cookie: x
< set-cookie: y
<
* Connection #0 to host a left intact
* Issue another request to this URL: 'http://a/2'
* Re-using existing connection! (#0) with host a
> GET /2 HTTP/1.1
> Host: a
>
* Empty reply from server
* Closing connection 0
curl: (52) Empty reply from server
`)
    expect(transfers.map(({ path, status, errorCode, connectedTo }) => [path, status, errorCode, connectedTo])).toEqual(
      [
        ['/1', 302, null, '10.0.0.1:80'],
        ['/2', null, 52, '10.0.0.1:80'],
      ],
    )
    expect(transfers[0]?.responses.map(({ status }) => status)).toEqual([100, 302])
    expect(transfers[0]?.responseHeaders.filter(([name]) => name === 'set-cookie')).toHaveLength(2)
  })

  test('headers of curl -i', () => {
    expect(
      only('HTTP/1.1 503 Service Unavailable\nserver: envoy\ncontent-length: 19\n\nno healthy upstream'),
    ).toMatchObject({
      status: 503,
      responseHeaders: [
        ['server', 'envoy'],
        ['content-length', '19'],
      ],
      body: 'no healthy upstream',
    })
  })

  test('a progress meter in between is no body', () => {
    const transfer = only(`  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed
  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0*   Trying 10.0.0.1:80...
* connect to 10.0.0.1 port 80 failed: Connection refused
* Failed to connect to a port 80 after 1 ms: Couldn't connect to server
curl: (7) Failed to connect to a port 80 after 1 ms: Couldn't connect to server`)
    expect(transfer).toMatchObject({ body: null, errorCode: 7, tried: ['10.0.0.1:80'], connectedTo: null })
  })

  test('several commands in one terminal', () => {
    const transfers = parseCurl(`user@host:~$ curl -s http://a/x
no healthy upstream
user@host:~$ kubectl exec deploy/web -c app -- curl -sv http://b:8080/y
curl: (56) Recv failure: Connection reset by peer
command terminated with exit code 56
`)
    expect(transfers.map(({ url, body, errorCode }) => [url, body, errorCode])).toEqual([
      ['http://a/x', 'no healthy upstream', null],
      ['http://b:8080/y', null, 56],
    ])
  })
})

test.each([
  ['curl -sv -X POST -d \'{"a": 1}\' http://a/x', { url: 'http://a/x', method: 'POST' }],
  ['curl --data=x a.b:8080', { url: 'a.b:8080', method: 'POST' }],
  ['curl -svXPUT "http://a/x y"', { url: 'http://a/x y', method: 'PUT' }],
  [
    'curl --resolve a:443:1.2.3.4 -H "Host: b" -kI https://a',
    { url: 'https://a', method: 'HEAD', headers: [['host', 'b']] },
  ],
])('the command %s', (line, expected) => {
  expect(readCurlCommand(line)).toMatchObject(expected)
})
