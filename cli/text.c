// SPDX-License-Identifier: MIT
#include "cli/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct style style_of(FILE *file)
{
  const char *refused = getenv("NO_COLOR");
  const char *terminal = getenv("TERM");
  if ((refused && *refused) || !terminal || strcmp(terminal, "dumb") == 0 || !isatty(fileno(file)))
    return (struct style){"", "", "", ""};
  return (struct style){.bold = "\033[1m", .good = "\033[32m", .bad = "\033[1;31m", .off = "\033[0m"};
}

void print_text(FILE *file, const char *text)
{
  for (const char *at = text; *at; at++) {
    unsigned char byte = (unsigned char)*at;
    if (byte < 0x20 || byte == 0x7f || byte == '\\')
      fprintf(file, "\\x%02x", byte);
    else
      putc(byte, file);
  }
}

struct build_id_text build_id_text(const uint8_t id[16])
{
  struct build_id_text text;
  for (size_t i = 0; i < 16; i++)
    snprintf(text.digits + 2 * i, 3, "%02x", id[i]);
  return text;
}

struct protection_text protection_text(int protection)
{
  return (struct protection_text){{
      protection & PROT_READ ? 'r' : '-',
      protection & PROT_WRITE ? 'w' : '-',
      protection & PROT_EXEC ? 'x' : '-',
      0,
  }};
}
