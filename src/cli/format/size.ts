import { humanBinarySize, humanSize } from '../../common/index.ts';

/** `1.23MB`, three significant digits, as Docker's tables show sizes. */
export const size3 = (bytes: number): string => humanSize(bytes, 3);
/** `1.234MB`, four significant digits. */
export const size4 = (bytes: number): string => humanSize(bytes, 4);
/** `1.234MiB`. */
export const binarySize = (bytes: number): string => humanBinarySize(bytes);
