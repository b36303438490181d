import type { AnyRule } from '../../model/finding.ts'
import wasmOrLuaFilterFails from './wasm-or-lua-filter-fails.ts'

export const extensionRules: readonly AnyRule[] = [wasmOrLuaFilterFails]
