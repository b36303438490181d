import { forTerminal } from './escape.ts'
import { isAtLeast, type LintEntry, type LintReport, objectText } from './lint-report.ts'

/** JUnit XML: one case a finding. What fails the run is a failure, what is suppressed is skipped, what could not be read an error. */
export function junit(report: LintReport): string {
  const cases = [
    ...report.findings.map((finding) =>
      caseOf(finding, isAtLeast(finding.severity, report.failOn) ? failure(finding) : output(finding)),
    ),
    ...report.suppressed.map(({ finding, reason }) => caseOf(finding, `<skipped message=${quoted(reason)}/>`)),
    ...report.notRead.map(
      ({ what, reason }) =>
        `    <testcase classname="not read" name=${quoted(what)}><error message=${quoted(reason)}/></testcase>`,
    ),
  ]
  const shown = cases.length > 0 ? cases : ['    <testcase classname="lint" name="nothing found"/>']
  const failures = report.findings.filter(({ severity }) => isAtLeast(severity, report.failOn)).length
  const counts = `tests="${shown.length}" failures="${failures}" errors="${report.notRead.length}" skipped="${report.suppressed.length}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="meshtriage lint" ${counts}>`,
    `  <testsuite name=${quoted(report.scope)} ${counts}>`,
    ...shown,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function caseOf(finding: LintEntry, inside: string): string {
  const name = [finding.code, objectText(finding.object)].filter((part) => part !== '').join(' ')
  const file = finding.reference === null ? '' : ` file=${quoted(finding.reference)}`
  return `    <testcase classname=${quoted(finding.code)} name=${quoted(name)}${file}>${inside}</testcase>`
}

function failure(finding: LintEntry): string {
  return `<failure type=${quoted(finding.severity)} message=${quoted(finding.message)}>${escaped(bodyOf(finding))}</failure>`
}

function output(finding: LintEntry): string {
  return `<system-out>${escaped(`${finding.severity}: ${bodyOf(finding)}`)}</system-out>`
}

function bodyOf({ message, why, fix }: LintEntry): string {
  return [message, why, fix ? `fix: ${fix}` : null].filter((part) => part !== null).join('\n')
}

function quoted(text: string): string {
  return `"${escaped(text).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"`
}

function escaped(text: string): string {
  return forTerminal(text)
    .replace(/[\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
