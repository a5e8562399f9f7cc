/** The source text of src/scan/kernel-bytes.ts. */
export function kernelSource(): Promise<string>;
