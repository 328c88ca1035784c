// SPDX-License-Identifier: MIT
//
// Accesses: instructions that take an address from a word of L (x86-64 psABI, "Optimize GOTPCRELX Relocations").
// Each is known by the place of its *field*, the four bytes of its displacement. Once the address is known they
// can do without the word, and stay as long as they are:
//
//   call *word(%rip)       ->  call target; nop
//   jmp *word(%rip)        ->  jmp target; nop
//   mov word(%rip), %reg   ->  lea target(%rip), %reg
//
// Each of them reaches what lies within 2 GiB. The nop comes last, not first as a prefix: __tls_get_addr is called
// with prefixes of its own, data16 and rex.W, and what stood between them and the opcode would make rex.W void,
// and a 16-bit call on some processors. Machines other than x86-64 have no accesses.
#ifndef FORMAT_ACCESS_H
#define FORMAT_ACCESS_H

#include "base/reader.h"

/// Bytes of a field.
#define ACCESS_SIZE 4u

enum access_form { ACCESS_NONE, ACCESS_CALL, ACCESS_JUMP, ACCESS_LOAD };

/// Which of them has its field at an offset of some code. Bytes do not tell instructions from data: who asks knows
/// from elsewhere that it is a field.
enum access_form access_form(struct span code, uint64_t offset);

/// The address of the word that it reads. `address` is the field's own.
uint64_t access_word(const uint8_t *field, uint64_t address);

/// Make it use a target itself, or a call or jump another word; false, and nothing is written, if that is out of
/// reach. `field` points into the code, of which access_form told the form.
bool access_direct(enum access_form form, uint8_t *field, uint64_t address, uint64_t target);
bool access_through(uint8_t *field, uint64_t address, uint64_t word);

#endif
