import type { AnyRule } from '../../model/finding.ts'
import envoyfilterSilentlySkipped from './envoyfilter-silently-skipped.ts'
import wasmOrLuaFilterFails from './wasm-or-lua-filter-fails.ts'

export const extensionRules: readonly AnyRule[] = [envoyfilterSilentlySkipped, wasmOrLuaFilterFails]
