// SPDX-License-Identifier: MIT
//
// cli/json: what it writes, byte for byte.
#include "cli/json.h"

#include <stdlib.h>
#include <string.h>

static void write_all(struct json *json)
{
  json_open(json, NULL, '{');
  json_string(json, "plain", "text");
  json_string(json, "quote\"", "a\\b\"c/\n\x01\x7f");
  json_string(json, "utf8", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  json_string(json, "broken", "\xc3 \xc0\x80 \xed\xa0\x80 \xf5\x80\x80\x80 \xe2\x82");
  json_string(json, "none", NULL);
  json_open(json, "list", '[');
  json_unsigned(json, NULL, UINT64_MAX);
  json_signed(json, NULL, INT64_MIN);
  json_truth(json, NULL, true);
  json_open(json, NULL, '[');
  json_close(json, ']');
  json_open(json, NULL, '{');
  json_close(json, '}');
  json_close(json, ']');
  json_hex(json, "hex", UINT64_MAX);
  json_truth(json, "last", false);
  json_close(json, '}');
}

static const char expected[] =
    "{\"plain\":\"text\",\"quote\\\"\":\"a\\\\b\\\"c/\\u000a\\u0001\\u007f\","
    "\"utf8\":\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\","
    "\"broken\":\"\\ufffd \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\","
    "\"none\":null,\"list\":[18446744073709551615,-9223372036854775808,true,[],{}],"
    "\"hex\":\"0xffffffffffffffff\",\"last\":false}";

int main(void)
{
  char *text = NULL;
  size_t size = 0;
  struct json json = {.file = open_memstream(&text, &size)};
  write_all(&json);
  fclose(json.file);
  int wrong = strcmp(text, expected) != 0;
  if (wrong)
    printf("expected %s\nfound    %s\n", expected, text);
  free(text);
  return wrong;
}
