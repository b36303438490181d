import { forTerminal } from './escape.ts'
import { type LintEntry, type LintReport, objectText, type Severity } from './lint-report.ts'

const levels: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
}

/** SARIF 2.1.0, as code scanning services read it. Suppressed findings are in it, marked as such. */
export function sarif(report: LintReport, tool: { readonly name: string; readonly version: string }): unknown {
  const all = [...report.findings, ...report.suppressed.map(({ finding }) => finding)]
  const ids = [...new Set(all.map(({ code }) => code))].sort()
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: tool.name,
            version: tool.version,
            rules: ids.map((id) => {
              const url = all.find((finding) => finding.code === id && finding.documentationUrl)?.documentationUrl
              return { id, ...(url ? { helpUri: url } : {}) }
            }),
          },
        },
        invocations: [
          {
            executionSuccessful: report.notRead.length === 0,
            toolExecutionNotifications: report.notRead.map(({ what, reason }) => ({
              level: 'warning',
              message: { text: plain(`not read: ${what}: ${reason}`) },
            })),
          },
        ],
        results: [
          ...report.findings.map((finding) => resultOf(finding, ids)),
          ...report.suppressed.map(({ finding, reason }) => ({
            ...resultOf(finding, ids),
            suppressions: [{ kind: 'external', status: 'accepted', justification: plain(reason) }],
          })),
        ],
      },
    ],
  }
}

function resultOf(finding: LintEntry, ids: readonly string[]) {
  const { code, severity, message, why, fix } = finding
  return {
    ruleId: code,
    ruleIndex: ids.indexOf(code),
    level: levels[severity],
    message: { text: plain([message, why, fix ? `Fix: ${fix}` : null].filter((part) => part !== null).join('\n')) },
    locations: finding.object === null && finding.reference === null ? [] : [locationOf(finding)],
    // Lets a service follow a finding over lines that move.
    partialFingerprints: { 'object/v1': plain(`${code}:${objectText(finding.object)}:${message}`) },
  }
}

function locationOf({ object, reference }: LintEntry) {
  const place = reference === null ? null : /^(.*?)(?::(\d+))?(?::\d+)?$/.exec(reference)
  const name = objectText(object)
  return {
    ...(place?.[1]
      ? {
          physicalLocation: {
            artifactLocation: { uri: uriOf(place[1]) },
            ...(place[2] ? { region: { startLine: Math.max(1, Number(place[2])) } } : {}),
          },
        }
      : {}),
    ...(name === '' ? {} : { logicalLocations: [{ fullyQualifiedName: plain(name), kind: 'resource' }] }),
  }
}

/** A path as a relative URI reference: blanks and the like are percent-encoded, slashes stay. */
function uriOf(path: string): string {
  return encodeURI(path.replaceAll('\\', '/').replace(/^\.\//, '')).replace(/[?#]/g, encodeURIComponent)
}

function plain(text: string): string {
  return forTerminal(text)
}
