import { writeNotRead } from './decision.ts'
import { type LintEntry, type LintReport, objectText, type Severity } from './lint-report.ts'
import { newPage, type Page, type PageOptions, type PageStyle } from './page.ts'

const marks: Readonly<Record<Severity, string>> = { error: '✗', warning: '!', info: '·' }
const tones: Readonly<Record<Severity, PageStyle | undefined>> = { error: 'bad', warning: 'doubt', info: undefined }
const titles: Readonly<Record<Severity, string>> = { error: 'Errors', warning: 'Warnings', info: 'Notes' }

export function lintText(report: LintReport, options: PageOptions = {}): string {
  const page = newPage(options)
  const { counts } = report
  const worst = counts.error > 0 ? 'error' : counts.warning > 0 ? 'warning' : null
  const symbol = worst ? marks[worst] : report.notRead.length > 0 ? '?' : '✓'
  const tone = worst ? tones[worst] : report.notRead.length > 0 ? 'doubt' : 'good'
  page.para(`${symbol} ${report.summary}`, '', '  ', tone)
  for (const severity of ['error', 'warning', 'info'] as const) {
    const findings = report.findings.filter((finding) => finding.severity === severity)
    if (findings.length === 0) continue
    page.heading(titles[severity], tones[severity] ?? 'bold')
    for (const finding of findings) writeFinding(page, finding)
  }
  const hidden = counts.error + counts.warning + counts.info - report.findings.length
  if (hidden > 0) page.para(`${hidden} below --level are not shown.`, '', '  ', 'dim')
  if (report.suppressed.length > 0) {
    page.heading('Suppressed')
    for (const { finding, reason, from } of report.suppressed)
      page.item(`${finding.code} ${objectText(finding.object)}: ${reason} (${from})`)
  }
  if (report.suppressionProblems.length > 0) {
    page.heading('Suppressions that do not hold', 'doubt')
    for (const problem of report.suppressionProblems) page.item(problem, '!')
  }
  if (report.skipped.length > 0) {
    page.heading('Left out')
    for (const skipped of report.skipped) page.item(skipped)
  }
  writeNotRead(page, report.notRead)
  return page.done()
}

function writeFinding(page: Page, { code, severity, source, object, message, why, fix, reference }: LintEntry): void {
  const about = [objectText(object), reference].filter(Boolean).join(', ')
  page.item(
    `${code}${about === '' ? '' : `  ${about}`}${source === 'analyze' ? '  [istioctl analyze]' : ''}`,
    marks[severity],
  )
  page.para(message, '      ')
  if (why) page.para(why, '      ')
  if (fix) page.para(`fix: ${fix}`, '      ', '        ')
}
