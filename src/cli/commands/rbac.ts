import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'rbac', register: () => undefined }
export default command
