// SPDX-License-Identifier: MIT
#include "image/lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdlib.h>

struct lines {
  Elf *elf;
  Dwarf *dwarf;
};

void lines_close(struct lines *lines)
{
  if (!lines)
    return;
  if (lines->dwarf)
    dwarf_end(lines->dwarf);
  if (lines->elf)
    elf_end(lines->elf);
  free(lines);
}

struct lines *lines_open(struct span file)
{
  struct lines *lines = calloc(1, sizeof *lines);
  if (!lines)
    return NULL;
  elf_version(EV_CURRENT);
  // elf_memory writes only where it is told to.
  lines->elf = elf_memory((char *)(uintptr_t)file.data, file.size);
  lines->dwarf = lines->elf ? dwarf_begin_elf(lines->elf, DWARF_C_READ, NULL) : NULL;
  if (lines->dwarf)
    return lines;
  lines_close(lines);
  return NULL;
}

// Clang makes no index of units by address.
static bool find_unit(const struct lines *lines, uint64_t address, Dwarf_Die *unit)
{
  Dwarf_CU *at = NULL;
  while (dwarf_get_units(lines->dwarf, at, &at, NULL, NULL, unit, NULL) == 0)
    if (dwarf_haspc(unit, address) == 1)
      return true;
  return false;
}

static const char *shown(const char *file)
{
  return file && file[0] == '.' && file[1] == '/' ? file + 2 : file;
}

static unsigned number_of(Dwarf_Die *die, unsigned name)
{
  Dwarf_Attribute attribute;
  Dwarf_Word value;
  return dwarf_formudata(dwarf_attr(die, name, &attribute), &value) == 0 ? (unsigned)value : 0;
}

// By two attributes: the number of a file, and a line. (dwarf_decl_file takes file 0 of DWARF 5 for none.)
static struct line line_of(Dwarf_Die *unit, Dwarf_Die *die, unsigned file_name, unsigned line_name)
{
  Dwarf_Files *files;
  size_t count, file = number_of(die, file_name);
  bool known = dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count;
  return (struct line){.file = known ? shown(dwarf_filesrc(files, file, NULL, NULL)) : NULL,
                       .number = (int)number_of(die, line_name)};
}

// ---- code

static struct line line_at(Dwarf_Die *unit, uint64_t address)
{
  struct line line = {0};
  Dwarf_Line *found = dwarf_getsrc_die(unit, address);
  if (found && dwarf_lineno(found, &line.number) == 0)
    line.file = shown(dwarf_linesrc(found, NULL, NULL));
  return line;
}

// From the innermost scope to the function that all of them are part of.
static size_t list_calls(Dwarf_Die *unit, Dwarf_Die *scopes, int scope_count, struct line line, struct line *calls,
                         size_t most)
{
  size_t count = 0;
  for (int i = 0; i < scope_count && count < most; i++) {
    int tag = dwarf_tag(&scopes[i]);
    if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
      continue;
    line.function = dwarf_diename(&scopes[i]);
    calls[count++] = line;
    if (tag == DW_TAG_subprogram)
      break;
    line = line_of(unit, &scopes[i], DW_AT_call_file, DW_AT_call_line);
  }
  return count;
}

size_t lines_of_code(struct lines *lines, uint64_t address, struct line *calls, size_t most)
{
  Dwarf_Die unit, *innermost = NULL, *scopes = NULL;
  size_t count = 0;
  if (!lines || !find_unit(lines, address, &unit))
    return 0;
  // What dwarf_getscopes finds around an inlined function is where it was written, not where it was inlined.
  if (dwarf_getscopes(&unit, address, &innermost) > 0) {
    int scope_count = dwarf_getscopes_die(&innermost[0], &scopes);
    count = list_calls(&unit, scopes, scope_count, line_at(&unit, address), calls, most);
  }
  free(innermost);
  free(scopes);
  return count;
}

// ---- data

static bool is_at(Dwarf_Die *variable, uint64_t address)
{
  Dwarf_Attribute attribute, operand;
  Dwarf_Op *operations;
  Dwarf_Word value;
  size_t count;
  if (dwarf_getlocation(dwarf_attr(variable, DW_AT_location, &attribute), &operations, &count) != 0 || count != 1)
    return false;
  if (operations[0].atom == DW_OP_addr)
    return operations[0].number == address;
  return operations[0].atom == DW_OP_addrx && dwarf_getlocation_attr(&attribute, operations, &operand) == 0 &&
         dwarf_formaddr(&operand, &value) == 0 && value == address;
}

// Variables of functions are theirs, too.
static bool find_variable(Dwarf_Die *parent, uint64_t address, unsigned depth, Dwarf_Die *result)
{
  enum { DEPTH = 16 };
  Dwarf_Die die;
  if (depth == DEPTH || dwarf_child(parent, &die) != 0)
    return false;
  do {
    if (dwarf_tag(&die) == DW_TAG_variable && is_at(&die, address)) {
      *result = die;
      return true;
    }
    if (dwarf_haschildren(&die) && find_variable(&die, address, depth + 1, result))
      return true;
  } while (dwarf_siblingof(&die, &die) == 0);
  return false;
}

bool lines_of_variable(struct lines *lines, uint64_t address, struct line *line)
{
  Dwarf_Die unit, variable;
  Dwarf_CU *at = NULL;
  *line = (struct line){0};
  while (lines && !line->file && dwarf_get_units(lines->dwarf, at, &at, NULL, NULL, &unit, NULL) == 0)
    if (find_variable(&unit, address, 0, &variable))
      *line = line_of(&unit, &variable, DW_AT_decl_file, DW_AT_decl_line);
  return line->file;
}
