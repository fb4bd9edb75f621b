/** Byte strings and text; see types.ts. */
export const byteName = (text: string): string => Buffer.from(text).toString('latin1');
export const bytesOf = (name: string): Buffer => Buffer.from(name, 'latin1');
/** For people: bytes that are not UTF-8 become U+FFFD. */
export const textOf = (name: string): string => Buffer.from(name, 'latin1').toString();
export const isAscii = (name: string): boolean => /^[\x00-\x7f]*$/.test(name);
