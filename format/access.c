// SPDX-License-Identifier: MIT
#include "format/access.h"

#include <string.h>

enum {
  OPCODE_GROUP5 = 0xff,  // call and jmp through memory, by ModRM
  MODRM_CALL = 0x15,
  MODRM_JUMP = 0x25,
  OPCODE_LOAD = 0x8b,
  OPCODE_LEA = 0x8d,
  OPCODE_CALL = 0xe8,
  OPCODE_JUMP = 0xe9,
  OPCODE_NOP = 0x90,
};

// A load of 64 bits: REX.W in front; any register, and the address is relative to the instruction. Should the byte
// in front not be its prefix, it is a load of 32 bits, and lea in its place gives the same 32.
static bool is_load(const uint8_t *field)
{
  return (field[-3] & 0xf8) == 0x48 && field[-2] == OPCODE_LOAD && (field[-1] & 0xc7) == 0x05;
}

enum access_form access_form(struct span code, uint64_t offset)
{
  if (offset < 2 || !range_within(offset, ACCESS_SIZE, code.size))
    return ACCESS_NONE;
  const uint8_t *field = code.data + offset;
  if (field[-2] == OPCODE_GROUP5)
    return field[-1] == MODRM_CALL ? ACCESS_CALL : field[-1] == MODRM_JUMP ? ACCESS_JUMP : ACCESS_NONE;
  return offset >= 3 && is_load(field) ? ACCESS_LOAD : ACCESS_NONE;
}

uint64_t access_word(const uint8_t *field, uint64_t address)
{
  int32_t distance;
  memcpy(&distance, field, sizeof distance);
  return address + ACCESS_SIZE + (uint64_t)(int64_t)distance;
}

// Write the distance from the end of a field to a target.
static bool aim(uint8_t *field, uint64_t address, uint64_t target)
{
  uint64_t distance = target - (address + ACCESS_SIZE);
  int32_t narrow = (int32_t)distance;
  if ((uint64_t)(int64_t)narrow != distance)
    return false;
  memcpy(field, &narrow, sizeof narrow);
  return true;
}

bool access_direct(enum access_form form, uint8_t *field, uint64_t address, uint64_t target)
{
  bool shorter = form != ACCESS_LOAD;  // by the ModRM byte: then its field begins there
  if (form == ACCESS_NONE || !aim(field - shorter, address - shorter, target))
    return false;
  field[-2] = form == ACCESS_CALL ? OPCODE_CALL : form == ACCESS_JUMP ? OPCODE_JUMP : OPCODE_LEA;
  if (shorter)
    field[ACCESS_SIZE - 1] = OPCODE_NOP;
  return true;
}

bool access_through(uint8_t *field, uint64_t address, uint64_t word)
{
  return aim(field, address, word);
}
