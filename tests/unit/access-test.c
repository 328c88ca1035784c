// SPDX-License-Identifier: MIT
//
// format/access: which bytes are an access, and what becomes of them, to the last byte that is in reach.
#include "format/access.h"
#include "tests/unit/check.h"

CHECK_MAIN_FILE

enum { FIELD = 4, CODE = 12 };

// Code whose field is at FIELD, behind a REX prefix (or any byte), an opcode and a ModRM byte.
struct code {
  uint8_t bytes[CODE];
};

static struct code code(uint8_t prefix, uint8_t opcode, uint8_t modrm, int32_t distance)
{
  struct code code = {{0xcc, prefix, opcode, modrm}};
  memcpy(code.bytes + FIELD, &distance, sizeof distance);
  memset(code.bytes + FIELD + 4, 0xcc, CODE - FIELD - 4);
  return code;
}

static enum access_form form_of(const struct code *code)
{
  return access_form((struct span){code->bytes, CODE}, FIELD);
}

// ---- forms

static void all_bytes(void)
{
  unsigned counts[ACCESS_LOAD + 1] = {0};
  for (unsigned prefix = 0; prefix < 256; prefix++)
    for (unsigned opcode = 0; opcode < 256; opcode++)
      for (unsigned modrm = 0; modrm < 256; modrm++) {
        struct code bytes = code((uint8_t)prefix, (uint8_t)opcode, (uint8_t)modrm, 0);
        enum access_form form = form_of(&bytes);
        bool load = prefix >> 3 == 9 && opcode == 0x8b && modrm >> 6 == 0 && (modrm & 7) == 5;
        enum access_form expected = opcode == 0xff && modrm == 0x15   ? ACCESS_CALL
                                    : opcode == 0xff && modrm == 0x25 ? ACCESS_JUMP
                                    : load                            ? ACCESS_LOAD
                                                                      : ACCESS_NONE;
        counts[form]++;
        if (form != expected)
          CHECK(form == expected);
      }
  CHECK(counts[ACCESS_CALL] == 256 && counts[ACCESS_JUMP] == 256 && counts[ACCESS_LOAD] == 8 * 8);
}

// An instruction that code ends in, or begins in, is none.
static void ends(void)
{
  struct code call = code(0x90, 0xff, 0x15, 0), load = code(0x48, 0x8b, 0x05, 0);
  for (size_t size = 0; size < CODE; size++) {
    bool whole = size >= FIELD + 4;
    CHECK((access_form((struct span){call.bytes, size}, FIELD) == ACCESS_CALL) == whole);
    CHECK((access_form((struct span){load.bytes, size}, FIELD) == ACCESS_LOAD) == whole);
  }
  for (size_t front = 0; front <= FIELD; front++) {
    CHECK((access_form((struct span){call.bytes + front, CODE - front}, FIELD - front) == ACCESS_CALL) ==
          (front <= 2));
    CHECK((access_form((struct span){load.bytes + front, CODE - front}, FIELD - front) == ACCESS_LOAD) ==
          (front <= 1));
  }
  CHECK(access_form((struct span){call.bytes, CODE}, UINT64_MAX) == ACCESS_NONE);
  CHECK(access_form((struct span){call.bytes, CODE}, UINT64_MAX - 3) == ACCESS_NONE);
}

static void words(void)
{
  struct code forward = code(0, 0xff, 0x15, INT32_MAX), back = code(0, 0xff, 0x15, INT32_MIN);
  CHECK(access_word(forward.bytes + FIELD, 0x200000000000) == 0x200000000000 + 4 + INT32_MAX);
  CHECK(access_word(back.bytes + FIELD, 0x200000000000) == 0x200000000000 + 4 - 0x80000000);
}

// ---- what becomes of them

// `shorter`: by the ModRM byte, with a nop behind it.
static void becomes(struct code before, uint8_t opcode, bool shorter, uint64_t address, int64_t distance)
{
  struct code after = before;
  enum access_form form = form_of(&before);
  uint64_t end = address + 4 - shorter;
  bool near = distance >= INT32_MIN && distance <= INT32_MAX;
  CHECK(access_direct(form, after.bytes + FIELD, address, end + (uint64_t)distance) == near);
  if (!near) {
    CHECK(memcmp(&before, &after, CODE) == 0);
    return;
  }
  struct code expected = before;
  int32_t narrow = (int32_t)distance;
  expected.bytes[FIELD - 2] = opcode;
  memcpy(expected.bytes + FIELD - shorter, &narrow, sizeof narrow);
  if (shorter)
    expected.bytes[FIELD + 3] = 0x90;
  CHECK(memcmp(&expected, &after, CODE) == 0);
  CHECK(form_of(&after) == ACCESS_NONE);
}

static const int64_t distances[] = {0,
                                    1,
                                    -1,
                                    0x1234567,
                                    -0x1234567,
                                    INT32_MAX,
                                    INT32_MIN,
                                    INT32_MAX + 1ll,
                                    INT32_MIN - 1ll,
                                    INT64_MAX,
                                    INT64_MIN,
                                    0x100000000,
                                    -0x100000000};
static const uint64_t addresses[] = {0x1002, 0x7fffffff, 0x200000001234, 0x7ffffffff000, 0};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void direct(void)
{
  for (size_t i = 0; i < COUNT(distances) * COUNT(addresses); i++) {
    int64_t distance = distances[i % COUNT(distances)];
    uint64_t address = addresses[i / COUNT(distances)];
    becomes(code(0x48, 0xff, 0x15, 77), 0xe8, true, address, distance);
    becomes(code(0x90, 0xff, 0x25, 77), 0xe9, true, address, distance);
    for (unsigned rex = 0x48; rex < 0x50; rex++)
      for (unsigned reg = 0; reg < 8; reg++)  // its number's high bit is in REX; the bytes of both stay
        becomes(code((uint8_t)rex, 0x8b, (uint8_t)(reg << 3 | 5), 77), 0x8d, false, address, distance);
    struct code none = code(0x90, 0x90, 0x90, 77), same = none;
    CHECK(!access_direct(ACCESS_NONE, none.bytes + FIELD, address, address) && memcmp(&none, &same, CODE) == 0);
  }
}

static void through(void)
{
  for (size_t i = 0; i < COUNT(distances) * COUNT(addresses); i++) {
    int64_t distance = distances[i % COUNT(distances)];
    uint64_t address = addresses[i / COUNT(distances)], word = address + 4 + (uint64_t)distance;
    struct code call = code(0x48, 0xff, 0x15, 77), before = call;
    bool near = distance >= INT32_MIN && distance <= INT32_MAX;
    CHECK(access_through(call.bytes + FIELD, address, word) == near);
    CHECK(memcmp(call.bytes, before.bytes, FIELD) == 0 &&
          memcmp(call.bytes + FIELD + 4, before.bytes + FIELD + 4, 4) == 0);
    CHECK(near ? access_word(call.bytes + FIELD, address) == word : memcmp(&call, &before, CODE) == 0);
  }
}

int main(void)
{
  all_bytes();
  ends();
  words();
  direct();
  through();
  return check_verdict();
}
