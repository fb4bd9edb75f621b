/** This machine's architecture, as Go calls it (GOARCH). */
export const GO_ARCH: string = process.arch === 'x64' ? 'amd64' : process.arch;
