/** Options that take the next word. Long ones may take it behind `=` as well. */
const withValue = new Set(
  (
    '-H --header -d --data --data-raw --data-binary --data-urlencode --json -X --request -A --user-agent -e --referer -b --cookie ' +
    '-c --cookie-jar -u --user -o --output -w --write-out -m --max-time --connect-timeout --retry --retry-delay --retry-max-time ' +
    '-F --form -T --upload-file -x --proxy --resolve --connect-to --cacert --capath -E --cert --key --ciphers --interface ' +
    '--unix-socket --url -K --config --limit-rate -r --range --tls-max --oauth2-bearer --dns-servers --local-port -D --dump-header ' +
    '--keepalive-time --max-redirs --noproxy --pass --cert-type --key-type --proto --expect100-timeout --trace --trace-ascii --stderr'
  ).split(' '),
)

export interface CurlCommand {
  readonly url: string | null
  readonly method: string | null
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** What a pasted `curl …` line asks for. Quotes are taken off; nothing is expanded or run. */
export function readCurlCommand(line: string): CurlCommand {
  const words = splitWords(line.slice(0, 16384))
  let url: string | null = null
  let method: string | null = null
  let hasBody = false
  const headers: [string, string][] = []
  for (let at = 1; at < words.length; at++) {
    const word = words[at] ?? ''
    if (!word.startsWith('-') || word === '-') {
      url ??= word
      continue
    }
    const option = optionOf(word)
    const value = option.value ?? (withValue.has(option.name) ? (words[++at] ?? '') : '')
    if (option.name === '-X' || option.name === '--request') method = value
    else if (option.name === '--url') url ??= value
    else if (option.name === '-H' || option.name === '--header') headers.push(headerOf(value))
    else if (/^(?:-d|--data.*|--json|-F|--form)$/.test(option.name)) hasBody = true
    else if (option.name === '-I' || option.name === '--head') method ??= 'HEAD'
  }
  return { url, method: method ?? (hasBody ? 'POST' : null), headers }
}

/** `-XPOST`, `-svX POST`, `--request=POST`: short options share one dash, the last of them may take a value. */
function optionOf(word: string): { name: string; value: string | null } {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=')
    return equals < 0 ? { name: word, value: null } : { name: word.slice(0, equals), value: word.slice(equals + 1) }
  }
  for (let at = 1; at < word.length; at++) {
    const name = `-${word[at]}`
    if (withValue.has(name)) return { name, value: at + 1 < word.length ? word.slice(at + 1) : null }
    if (name === '-I') return { name, value: null }
  }
  return { name: word, value: '' }
}

function headerOf(text: string): [string, string] {
  const colon = text.indexOf(':')
  return colon < 0
    ? [text.toLowerCase(), '']
    : [text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim()]
}

function splitWords(line: string): string[] {
  const words: string[] = []
  const word = /(?:[^\s"'\\]+|'[^']*'?|"(?:[^"\\]|\\.)*"?|\\.?)+/gs
  for (const [text] of line.matchAll(word))
    words.push(
      text.replace(
        /'([^']*)'?|"((?:[^"\\]|\\.)*)"?|\\(.?)/gs,
        (_, single, double, escaped) => single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? '',
      ),
    )
  return words
}
