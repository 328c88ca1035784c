// SPDX-License-Identifier: MIT
#include "cli/json.h"

#include <inttypes.h>
#include <stddef.h>

// Length of the well-formed UTF-8 sequence at `text` (Unicode 15, table 3-7), 0 if there is none.
static size_t sequence_length(const unsigned char *text)
{
  unsigned char lead = text[0];
  unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (lead < 0x80)
    return 1;
  if (lead < 0xc2 || lead > 0xf4 || text[1] < low || text[1] > high)
    return 0;
  size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (size_t i = 2; i < length; i++)
    if ((text[i] & 0xc0) != 0x80)
      return 0;
  return length;
}

static void put_ascii(FILE *file, unsigned char byte)
{
  if (byte == '"' || byte == '\\')
    fprintf(file, "\\%c", byte);
  else if (byte < 0x20 || byte == 0x7f)
    fprintf(file, "\\u%04x", byte);
  else
    putc(byte, file);
}

static void put_quoted(FILE *file, const char *string)
{
  const unsigned char *at = (const unsigned char *)string;
  putc('"', file);
  while (*at) {
    size_t length = sequence_length(at);
    if (length == 0)
      fputs("\\ufffd", file);
    else if (length == 1)
      put_ascii(file, *at);
    else
      fwrite(at, 1, length, file);
    at += length ? length : 1;
  }
  putc('"', file);
}

static void begin_value(struct json *json, const char *key)
{
  if (json->comma)
    putc(',', json->file);
  json->comma = true;
  if (!key)
    return;
  put_quoted(json->file, key);
  putc(':', json->file);
}

void json_open(struct json *json, const char *key, char bracket)
{
  begin_value(json, key);
  putc(bracket, json->file);
  json->comma = false;
}

void json_close(struct json *json, char bracket)
{
  putc(bracket, json->file);
  json->comma = true;
}

void json_string(struct json *json, const char *key, const char *value)
{
  begin_value(json, key);
  if (value)
    put_quoted(json->file, value);
  else
    fputs("null", json->file);
}

void json_unsigned(struct json *json, const char *key, uint64_t value)
{
  begin_value(json, key);
  fprintf(json->file, "%" PRIu64, value);
}

void json_signed(struct json *json, const char *key, int64_t value)
{
  begin_value(json, key);
  fprintf(json->file, "%" PRId64, value);
}

void json_truth(struct json *json, const char *key, bool value)
{
  begin_value(json, key);
  fputs(value ? "true" : "false", json->file);
}

void json_hex(struct json *json, const char *key, uint64_t value)
{
  begin_value(json, key);
  fprintf(json->file, "\"0x%" PRIx64 "\"", value);
}
