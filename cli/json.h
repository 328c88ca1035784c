// SPDX-License-Identifier: MIT
//
// Writes JSON (RFC 8259) on one line. Keeps track of commas only: the caller closes what it opens.
// A key is NULL inside an array and at the top.
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
  FILE *file;
  bool comma;  ///< the next value follows another one
};

void json_open(struct json *json, const char *key, char bracket);  ///< '{' or '['
void json_close(struct json *json, char bracket);                  ///< '}' or ']'
/// NULL becomes null; bytes that are not UTF-8 become U+FFFD.
void json_string(struct json *json, const char *key, const char *value);
void json_unsigned(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
void json_truth(struct json *json, const char *key, bool value);
/// A number that may need more than 53 bits, as a string: "0x1f".
void json_hex(struct json *json, const char *key, uint64_t value);

#endif
