import { fired, quiet } from '../../model/finding.ts'
import type { LogData } from '../../situation/exchanges.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { anyLog, decidedByLine, findLine } from '../lib/decided-by-line.ts'
import { filtersFor } from '../lib/extensions.ts'
import { quoteSign } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

const brokenFilter = /^filter_(?:removed|added)_|^lua/
const complaint = /\b(?:wasm|proxy_wasm|lua)\b/i

/** A plugin in a proxy fails, and with it every request of the workload. */
export default defineRule({
  code: 'wasm-or-lua-filter-fails',
  layer: 'extension',
  severity: 'error',
  explains: ['500', '502', '503', '403'],
  title: 'A plugin of the proxy fails',
  why: 'A WasmPlugin or a Lua script in an EnvoyFilter runs inside the proxy. When it cannot be loaded or crashes, the proxy answers for the application.',
  needs: [anyLog],
  check(situation) {
    const extensionKinds = /wasm|lua|http\.filters/i
    const named = decidedByLine(
      situation,
      ({ record }) => record.flags.includes('NFCF') || brokenFilter.test(record.details ?? ''),
      'no line speaks of a filter that fails',
      ({ who, where, often, line }) => {
        const [filter] = filtersFor(situation, where, extensionKinds)
        const missing = line.record.flags.includes('NFCF')
        return {
          subject: filter?.name ?? destinationName(situation),
          title: `${missing ? 'A filter without configuration' : 'A filter'} at ${who} fails requests to ${destinationName(situation)}`,
          statement: `${who} answered ${often} itself (${line.record.flags.join(',') || line.record.details}): ${missing ? 'a plugin was never loaded' : 'a plugin broke the answer'}.${filter ? ` ${filter.name} counts for it.` : ''}`,
          sign: missing ? 'a plugin has no configuration' : 'a plugin broke the answer',
          more: filter?.quotes ?? [],
          fix: filter
            ? editFix(
                filter.object,
                `Repair the source of ${filter.name} (image, version, script), or take this workload out of its selector for now; keep it for the others.`,
                `workloads that ${filter.name} selects`,
                'what the plugin checked or added is missing meanwhile',
              )
            : handOver(
                'Repair the plugin of this proxy, or take the workload out of its selector for now.',
                destinationName(situation),
              ),
          verify: tryAgain(situation, 'an answer of the application'),
        }
      },
    )
    if (named.status === 'fired') return named
    // A crash in a script leaves 500 without a reason in the line; the proxy's own log has it.
    const silent = findLine(
      situation,
      ({ record }) =>
        (record.code ?? 0) >= 500 &&
        record.details !== 'via_upstream' &&
        record.flags.length === 0 &&
        record.upstreamHost === null &&
        record.details !== 'direct_response',
    )
    if (!silent) return named
    const role = silent.where === 'server' ? 'server.accessLog' : (`${silent.where}.accessLog` as const)
    const said = situation
      .all<LogData>(role)
      .flatMap(({ data, entry }) =>
        data.others
          .filter(({ text }) => complaint.test(text) && /error|critical|fail/i.test(text))
          .map((other) => ({ ...other, entry })),
      )
    const last = said.at(-1)
    const [filter] = filtersFor(situation, silent.where, extensionKinds)
    if (!last || !filter)
      return situation.failing.length > 0
        ? signMissing(situation, 'no plugin complains in the log of the proxy')
        : quiet
    return fired(
      hitOf({
        subject: filter.name,
        title: `${filter.name} fails at ${silent.who}`,
        statement: `${silent.who} answered ${silent.often} itself and gave no reason in the line; its own log complains about a plugin at the same time.`,
        certainty: 'likely',
        supporting: [
          ...quoteSign(situation, silent.lines, 'the proxy answered without a reason'),
          quote(last.entry, "the proxy's own log complains", last.text, last.line),
          ...filter.quotes,
        ],
        fix: editFix(
          filter.object,
          `Repair the plugin of ${filter.name}, or take this workload out of its selector for now; keep it for the others.`,
          `workloads that ${filter.name} selects`,
          'what the plugin checked or added is missing meanwhile',
        ),
        verify: tryAgain(situation, 'an answer of the application'),
        wouldDecide: {
          command: `istioctl proxy-config ecds ${silent.line.pod?.name ?? 'POD'}.${silent.line.pod?.namespace ?? 'NAMESPACE'}`,
          why: 'it shows whether the plugin was loaded',
        },
      }),
    )
  },
})
