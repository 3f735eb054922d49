// SPDX-License-Identifier: Apache-2.0
export function pack(magic: string, header: unknown, arrays: ArrayBufferView[]): Uint8Array<ArrayBuffer>;
