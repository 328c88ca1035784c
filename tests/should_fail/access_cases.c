// SPDX-License-Identifier: MIT
//
// Instructions that take an address from a word of L. The first of the image calls __tls_get_addr, through a word of the
// host's set; in front of all words of sets stands the thread-local template. A load does not look at them: it is bind
// that would write to the code.
#include "tests/should_fail/rows.h"

#define INSTRUCTION(value) AT(PLACE_ACCESS, 0, 2, value)
#define WORD(distance)                                                                                            \
  {                                                                                                               \
    PLACE_ACCESS, 2, 4, distance, FROM_ACCESS                                                                     \
  }

const struct field_case access_cases[] = {
    {"accesses outside",
     {TABLES(accesses.offset, 1 << 20)},
     SEAL_ALL,
     TRUNCATED,
     TRUNCATED,
     TRUNCATED,
     "bitmap of accesses"},
    {"accesses of 2^32 bytes",
     {TABLES(accesses.size, UINT32_MAX)},
     SEAL_ALL,
     TRUNCATED,
     TRUNCATED,
     TRUNCATED,
     "bitmap of accesses"},
    {"more accesses than bytes of code",
     {TABLES(accesses.count, UINT32_MAX)},
     SEAL_ALL,
     MALFORMED,
     MALFORMED,
     MALFORMED,
     "number of accesses"},
    {"accesses of no bytes", {TABLES(accesses.size, 0)}, SEAL_ALL, MALFORMED, OK, OK, "bitmap of accesses"},
    {"no accesses, by their number", {TABLES(accesses.count, 0)}, SEAL_ALL, MALFORMED, OK, OK, "bitmap of accesses"},
    {"too many accesses", {TABLES(accesses.count, 9)}, SEAL_ALL, MALFORMED, OK, OK, "bitmap of accesses"},

    {"no instruction", {INSTRUCTION(0x9090)}, SEAL_ALL, MALFORMED, OK, OK, "instruction of an access"},
    {"push *word", {INSTRUCTION(0x35ff)}, SEAL_ALL, MALFORMED, OK, OK, "instruction of an access"},
    {"call *%eax", {INSTRUCTION(0xd0ff)}, SEAL_ALL, MALFORMED, OK, OK, "instruction of an access"},
    {"mov to a word", {INSTRUCTION(0x0589)}, SEAL_ALL, MALFORMED, OK, OK, "instruction of an access"},
    {"jmp *word", {INSTRUCTION(0x25ff)}, SEAL_ALL, OK, OK, OK, NULL},

    {"a word of the code", {AT(PLACE_ACCESS, 2, 4, 0)}, SEAL_ALL, MALFORMED, OK, OK, "word of an access"},
    {"a word in front of L", {WORD(-8ull)}, SEAL_ALL, MALFORMED, OK, OK, "word of an access"},
    {"a word behind L", {WORD(4096)}, SEAL_ALL, MALFORMED, OK, OK, "word of an access"},
    {"a word of W", {WORD(W_START - L_START)}, SEAL_ALL, MALFORMED, OK, OK, "word of an access"},
    {"beside a word", {WORD(12)}, SEAL_ALL, MALFORMED, OK, OK, "word of an access"},
    {"a word of no set", {WORD(0)}, SEAL_ALL, MALFORMED, OK, OK, "sets with the word of an access"},
};
const unsigned access_case_count = COUNT(access_cases);
