// Names, paths, user agents and log lines come from whoever called the service. They are shown as data, never obeyed.

// OSC, DCS, SOS, PM and APC take everything up to their end; where it never comes, up to the end of the line.
const stringSequence =
  /(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)?/g
const controlSequence = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?/g
const otherEscape = /\u001b[ -/]*[0-~]?/g
// C0 but tab and newline, DEL, C1. What Unicode calls ignorable is drawn as nothing: zero-width and bidi characters,
// fillers, tags in which text hides.
const invisible = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufff9-\ufffb]|\p{Default_Ignorable_Code_Point}/gu

/** Text without anything that moves a cursor, hides, or turns the direction of reading. Keeps line ends and tabs. */
export function forTerminal(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replaceAll('\r\n', '\n')
    .replace(/[\u2028\u2029\u0085]/g, '\n')
    .replace(stringSequence, '')
    .replace(controlSequence, '')
    .replace(otherEscape, '')
    .replace(invisible, '')
}

/** The same on one line, for places that have only one. */
export function forLine(text: string): string {
  return forTerminal(text).replace(/\s+/g, ' ').trim()
}

export function forHtml(text: string): string {
  return forTerminal(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

// Chats and trackers turn most of these into links and notifications wherever they stand, except in code. Envoy's cluster
// names are full of bars.
const active =
  /(?:https?|ftp|mailto|file|javascript|data):[^\s`<>()[\]]+|www\.[^\s`<>()[\]]+|(?<![\w.])@[\w./-]+|(?<![\w/])#\d+\b|\b(?:in|out)bound(?:-vip)?\|\d+\|[\w-]*\|[\w.*-]*/gi

/** A line of prose. What would link or notify becomes code; the rest loses its Markdown meaning. */
export function forMarkdown(text: string): string {
  const line = forLine(text)
  let out = ''
  let from = 0
  for (const match of line.matchAll(active)) {
    out += plainMarkdown(line.slice(from, match.index)) + markdownCode(match[0])
    from = match.index + match[0].length
  }
  return atLineStart(out + plainMarkdown(line.slice(from)))
}

function plainMarkdown(text: string): string {
  // Underscores inside of words mean nothing in Markdown, and names are full of them.
  return text
    .replace(/[\\`*[\]<>~]/g, '\\$&')
    .replace(/(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu, (run) => '\\_'.repeat(run.length))
    .replace(/&(?=#?\w+;)/g, '\\&')
}

function atLineStart(line: string): string {
  return line.replace(/^(#{1,6}\s|[-+=]|:?-{3,})/, '\\$1').replace(/^(\d+)([.)]\s)/, '$1\\$2')
}

/** A code span whose fence is longer than any run of backticks inside. */
export function markdownCode(text: string): string {
  const line = forLine(text)
  if (line === '') return '` `'
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : ''
  return `${fence}${pad}${line}${pad}${fence}`
}

export function markdownBlock(text: string, language = 'text'): string {
  const body = forTerminal(text).replace(/\n+$/, '')
  const longest = Math.max(2, ...[...body.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${body}\n${fence}`
}

/** A table's cell: there a bar ends the cell even inside of code. */
export function markdownCell(escaped: string): string {
  return escaped.replace(/(?<!\\)((?:\\\\)*)\|/g, '$1\\|')
}

/** Slack's mrkdwn has three reserved characters; mentions and links are switched off by making them code. */
export function forSlack(text: string): string {
  const line = forLine(text).replaceAll('`', "'")
  let out = ''
  let from = 0
  for (const match of line.matchAll(active)) {
    out += slackEntities(line.slice(from, match.index)) + slackCode(match[0])
    from = match.index + match[0].length
  }
  return out + slackEntities(line.slice(from))
}

export function slackCode(text: string): string {
  return `\`${slackEntities(forLine(text).replaceAll('`', "'")) || ' '}\``
}

function slackEntities(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** A name for a file that every system takes, and that stays in its folder. */
export function forFileName(text: string): string {
  const name = forLine(text)
    .normalize('NFKD')
    .replace(/[^\w.-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/-{2,}/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 80)
    .replace(/[.-]+$/, '')
  if (name === '') return 'note'
  return /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(name) ? `_${name}` : name
}
