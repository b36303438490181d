import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'mtls', register: () => undefined }
export default command
