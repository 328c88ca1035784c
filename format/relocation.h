// SPDX-License-Identifier: MIT
//
// Dynamic relocations of x86-64 (System V psABI, AMD64 supplement 1.0, table 4.9): their names, and
// which of them an image may contain.
#ifndef FORMAT_RELOCATION_H
#define FORMAT_RELOCATION_H

#include <elf.h>
#include <stdint.h>

/// What a dynamic relocation asks for.
enum relocation_kind {
  RELOCATION_NONE,        ///< nothing
  RELOCATION_BASE,        ///< base + addend, no symbol (RELATIVE)
  RELOCATION_ADDRESS,     ///< symbol + addend (64, GLOB_DAT, JUMP_SLOT)
  RELOCATION_IFUNC,       ///< what the function at base + addend returns (IRELATIVE)
  RELOCATION_MODULE,      ///< the thread-local module of the symbol (DTPMOD64)
  RELOCATION_OFFSET,      ///< the symbol's offset in its module's block (DTPOFF64)
  RELOCATION_DESCRIPTOR,  ///< a TLS descriptor: two words (TLSDESC)
  RELOCATION_STATIC,      ///< offset from the thread pointer: needs static TLS, refused (TPOFF64)
  RELOCATION_OTHER,       ///< not for shared objects, or narrower than a word: refused
};
enum relocation_kind relocation_kind(uint32_t type);

/// "R_X86_64_GLOB_DAT"; NULL for a number without a name.
const char *relocation_name(uint32_t type);

#endif
