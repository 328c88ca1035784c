// SPDX-License-Identifier: MIT
#include "format/relocation.h"

enum relocation_kind relocation_kind(uint32_t type)
{
  switch (type) {
  case R_X86_64_NONE:
    return RELOCATION_NONE;
  case R_X86_64_RELATIVE:
  case R_X86_64_RELATIVE64:
    return RELOCATION_BASE;
  case R_X86_64_64:
  case R_X86_64_GLOB_DAT:
  case R_X86_64_JUMP_SLOT:
    return RELOCATION_ADDRESS;
  case R_X86_64_IRELATIVE:
    return RELOCATION_IFUNC;
  case R_X86_64_DTPMOD64:
    return RELOCATION_MODULE;
  case R_X86_64_DTPOFF64:
    return RELOCATION_OFFSET;
  case R_X86_64_TLSDESC:
    return RELOCATION_DESCRIPTOR;
  case R_X86_64_TPOFF64:
  case R_X86_64_TPOFF32:
    return RELOCATION_STATIC;
  default:
    return RELOCATION_OTHER;
  }
}

#define NAME(type) [type] = #type
static const char *const names[] = {
    NAME(R_X86_64_NONE),     NAME(R_X86_64_64),        NAME(R_X86_64_PC32),      NAME(R_X86_64_GOT32),
    NAME(R_X86_64_PLT32),    NAME(R_X86_64_COPY),      NAME(R_X86_64_GLOB_DAT),  NAME(R_X86_64_JUMP_SLOT),
    NAME(R_X86_64_RELATIVE), NAME(R_X86_64_GOTPCREL),  NAME(R_X86_64_32),        NAME(R_X86_64_32S),
    NAME(R_X86_64_16),       NAME(R_X86_64_PC16),      NAME(R_X86_64_8),         NAME(R_X86_64_PC8),
    NAME(R_X86_64_DTPMOD64), NAME(R_X86_64_DTPOFF64),  NAME(R_X86_64_TPOFF64),   NAME(R_X86_64_TLSGD),
    NAME(R_X86_64_TLSLD),    NAME(R_X86_64_DTPOFF32),  NAME(R_X86_64_GOTTPOFF),  NAME(R_X86_64_TPOFF32),
    NAME(R_X86_64_PC64),     NAME(R_X86_64_GOTOFF64),  NAME(R_X86_64_SIZE32),    NAME(R_X86_64_SIZE64),
    NAME(R_X86_64_TLSDESC),  NAME(R_X86_64_IRELATIVE), NAME(R_X86_64_RELATIVE64)};

const char *relocation_name(uint32_t type)
{
  return type < sizeof names / sizeof *names ? names[type] : 0;
}
