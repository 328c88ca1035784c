// SPDX-License-Identifier: MIT
//
// Why something cannot be captured, in terms of the package's source.
#include "image/capture.h"

#include "image/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- names of places

static const char *symbol_text(const struct linked *linked, const Elf64_Sym *symbol)
{
  const char *name = span_string(linked->all_strings.bytes, symbol->st_name);
  return name ? name : "";
}

// The symbol of .symtab that an address belongs to, NULL if none does.
static const Elf64_Sym *symbol_at(const struct linked *linked, uint64_t address, unsigned type)
{
  const Elf64_Sym *symbols = (const Elf64_Sym *)(const void *)linked->all_symbols.bytes.data;
  size_t count = linked->all_symbols.bytes.size / sizeof *symbols;
  for (size_t i = 0; i < count; i++)
    if (symbols[i].st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbols[i].st_info) == type &&
        address >= symbols[i].st_value && address - symbols[i].st_value < symbols[i].st_size)
      return &symbols[i];
  return NULL;
}

static void name_data(const struct linked *linked, uint64_t place, char *text, size_t size)
{
  const Elf64_Sym *symbol = symbol_at(linked, FORMAT_W_START + place, STT_OBJECT);
  if (!symbol)
    snprintf(text, size, "data at 0x%llx", (unsigned long long)(FORMAT_W_START + place));
  else if (FORMAT_W_START + place == symbol->st_value)
    snprintf(text, size, "%s", symbol_text(linked, symbol));
  else
    snprintf(text, size, "%s+0x%llx", symbol_text(linked, symbol),
             (unsigned long long)(FORMAT_W_START + place - symbol->st_value));
}

// A part of W, or the list of calls at exit, which no word of W leads to.
static void name_root(const struct capture *capture, uint64_t place, char *text, size_t size)
{
  if (place < capture->file.header.geometry.areas[AREA_W].memory_size)
    name_data(capture->linked, place, text, size);
  else
    snprintf(text, size, "a call at exit");
}

// `state+0x8 -> object of 64 bytes +0x18`: the words that lead to an object, from a variable on; at most so many.
static void name_path(const struct capture *capture, const struct capture_path *path, size_t most, char *text,
                      size_t size)
{
  name_root(capture, path->hops[0].offset, text, size);
  for (size_t i = 1; i < path->count && i < most; i++) {
    const struct capture_hop *hop = &path->hops[i];
    bool gap = path->left_out && i == CAPTURE_MOST_HOPS / 2;
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s -> object of %llu bytes +0x%llx", gap ? " -> ..." : "",
             (unsigned long long)hop->size, (unsigned long long)hop->offset);
  }
  size_t used = strlen(text);
  snprintf(text + used, size - used, "%s", path->count > most ? " -> ..." : "");
}

// Hops of its path at most: as many as there is room for in the name of an error, or all.
enum { BRIEF = 2, FULL = CAPTURE_MOST_HOPS };

static void name_finding(const struct capture *capture, const struct capture_finding *finding, size_t hops, char *text,
                         size_t size)
{
  char path[512], byte[64] = "";
  if (!finding->in_heap) {
    name_data(capture->linked, finding->place, text, size);
    return;
  }
  name_path(capture, &finding->path, hops, path, sizeof path);
  if (finding->fault != CAPTURE_STREAM)
    snprintf(byte, sizeof byte, "byte %lld of ", (long long)(finding->place - finding->object));
  snprintf(text, size, "%san object of %llu bytes, which %s leads to", byte, (unsigned long long)finding->object_size,
           path);
}

// ---- guesses

static bool is_near(uint64_t value, uint64_t time, uint64_t unit)
{
  uint64_t seconds = value / unit;
  return seconds + 86400 > time && seconds < time + 86400;
}

// A clock differs from run to run by far more than an hour, so each value is near its own run's time only.
static bool is_time(const struct capture *capture, const struct capture_finding *finding)
{
  static const uint64_t units[] = {1, 1000, 1000000, 1000000000};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    bool all = true;
    for (int run = 0; run < CAPTURE_RUNS; run++)
      all &= is_near(finding->values[run], capture->runs[run].snapshot->time, units[i]);
    if (all)
      return true;
  }
  return false;
}

// Perhaps in half of the word, beside something else.
static bool is_process(const struct capture *capture, const struct capture_finding *finding)
{
  bool whole = true, low = true, high = true;
  for (int run = 0; run < CAPTURE_RUNS; run++) {
    uint64_t process = capture->runs[run].snapshot->process;
    whole &= finding->values[run] == process;
    low &= (uint32_t)finding->values[run] == process;
    high &= finding->values[run] >> 32 == process;
  }
  return whole || low || high;
}

static bool is_half_time(const struct capture *capture, const struct capture_finding *finding)
{
  struct capture_finding low = *finding, high = *finding;
  for (int run = 0; run < CAPTURE_RUNS; run++) {
    low.values[run] = (uint32_t)finding->values[run];
    high.values[run] = finding->values[run] >> 32;
  }
  return is_time(capture, &low) || is_time(capture, &high);
}

// The file that is mapped at an address, "" if none is.
static void mapping_at(const struct snapshot *snapshot, uint64_t value, char *name, size_t size)
{
  const char *text = snapshot_at(snapshot, snapshot->maps.offset), *end = text + snapshot->maps.count;
  name[0] = 0;
  while (text < end) {
    const char *line = memchr(text, '\n', (size_t)(end - text));
    int length = (int)((line ? line : end) - text);
    char *rest;
    uint64_t from = strtoull(text, &rest, 16), to = *rest == '-' ? strtoull(rest + 1, NULL, 16) : 0;
    if (value >= from && value < to) {
      const char *path = memchr(text, '/', (size_t)length);
      const char *label = path ? path : memchr(text, '[', (size_t)length);
      snprintf(name, size, "%.*s", label ? length - (int)(label - text) : 0, label ? label : "");
      return;
    }
    text = line ? line + 1 : end;
  }
}

static bool some_are_zero(const struct capture_finding *finding)
{
  int zeros = 0;
  for (int run = 0; run < CAPTURE_RUNS; run++)
    zeros += finding->values[run] == 0;
  return zeros > 0;
}

static bool points_to_own_objects(const struct capture *capture, const struct capture_finding *finding)
{
  bool all = true;
  for (int run = 0; run < CAPTURE_RUNS; run++) {
    const struct snapshot *snapshot = capture->runs[run].snapshot;
    all &= finding->values[run] - snapshot->heap < snapshot->heap_used;
  }
  return all;
}

static void guess(const struct capture *capture, const struct capture_finding *finding, char *text, size_t size)
{
  char mapping[256];
  mapping_at(capture->runs[0].snapshot, finding->values[0], mapping, sizeof mapping);
  if (finding->fault == CAPTURE_STREAM)
    snprintf(text, size, "it is an open stream (FILE), an object of the host: close it, and open it in each process");
  else if (finding->fault == CAPTURE_STACK)
    snprintf(text, size, "it points into the stack, to something that is gone");
  else if (finding->fault == CAPTURE_LAYOUT)
    snprintf(text, size, "it has another size in each run: its length depends on something that differs");
  else if (points_to_own_objects(capture, finding))
    snprintf(text, size, "it points to another object in each run: the hash of an address may have decided to which");
  else if (finding->fault == CAPTURE_UNNAMED && strcmp(mapping, "[stack]") == 0)
    snprintf(text, size, "it points to the arguments or the environment, which are others in another process");
  else if (finding->fault == CAPTURE_UNNAMED && mapping[0])
    snprintf(text, size, "it points into %s, but not to a symbol: an object of the host, which another process has elsewhere",
             mapping);
  else if (finding->fault == CAPTURE_UNNAMED)
    snprintf(text, size, "it points to memory of the host (a thread, the C library, or a dependency's own allocation)");
  else if (is_time(capture, finding) || is_half_time(capture, finding))
    snprintf(text, size, "it looks like the time");
  else if (is_process(capture, finding))
    snprintf(text, size, "it looks like the process id");
  else if (some_are_zero(finding))
    snprintf(text, size, "it is zero in some runs: the hash of an address may have decided where something goes");
  else
    snprintf(text, size, "it may be a random number, or computed from an address (a hash), a time, or the like");
}

// ---- where an object was allocated: one more run, which reports it

static void name_call(const struct capture *capture, uint64_t base, uint64_t address, char *text, size_t size)
{
  const Elf64_Sym *symbol = address >= base ? symbol_at(capture->linked, address - base - 1, STT_FUNC) : NULL;
  if (symbol)
    snprintf(text, size, "%s+0x%llx", symbol_text(capture->linked, symbol),
             (unsigned long long)(address - base - symbol->st_value));
  else
    text[0] = 0;
}

static int by_offset(const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

struct allocations {
  uint64_t offsets[32];
  size_t count;
  char *lines[32];
  uint64_t base;  // of the package in that run
};

static void allocations_deinit(struct allocations *allocations)
{
  for (size_t i = 0; i < allocations->count; i++)
    free(allocations->lines[i]);
}

static void list_allocations(const struct capture *capture, struct allocations *allocations)
{
  const struct capture_result *result = &capture->result;
  for (size_t i = 0; i < result->finding_count && allocations->count < 32; i++)
    if (result->findings[i].in_heap)
      allocations->offsets[allocations->count++] = result->findings[i].object;
  qsort(allocations->offsets, allocations->count, sizeof(uint64_t), by_offset);
}

static void read_allocations(int fd, struct allocations *allocations)
{
  FILE *file = fdopen(dup(fd), "r");
  char *line = NULL;
  size_t capacity = 0;
  if (!file)
    return;
  rewind(file);
  while (getline(&line, &capacity, file) > 0) {
    char *rest;
    size_t index = strtoull(line, &rest, 10);
    if (index >= allocations->count)
      continue;
    free(allocations->lines[index]);
    allocations->lines[index] = strdup(rest);
  }
  free(line);
  fclose(file);
}

// The layout of the heap is the same in every run, so the same offset is the same object.
static void find_allocations(struct capture *capture, struct allocations *allocations)
{
  int code = 0;
  list_allocations(capture, allocations);
  if (!allocations->count)
    return;
  const struct snapshot_image *images =
      snapshot_at(capture->runs[0].snapshot, capture->runs[0].snapshot->images.offset);
  allocations->base = images[capture->deps->count].base;
  struct capture_child_run kept = capture->runs[0];
  capture->runs[0] = (struct capture_child_run){.heap_fd = -1, .snapshot_fd = -1};
  if (capture_run(capture, 0, allocations->offsets, allocations->count, &code, NULL) == PKGIMG_OK && code == 0)
    read_allocations(capture->runs[0].snapshot_fd, allocations);
  capture_run_deinit(&capture->runs[0]);
  capture->runs[0] = kept;
}

static const char *allocation_of(const struct allocations *allocations, uint64_t object)
{
  for (size_t i = 0; i < allocations->count; i++)
    if (allocations->offsets[i] == object)
      return allocations->lines[i];
  return NULL;
}

// One frame: what was inlined into the function, then itself by its symbol.
static void tell_frame(const struct capture *capture, uint64_t address, const char *symbol, const char **word,
                       FILE *out)
{
  enum { MOST = 16 };
  struct line calls[MOST];
  size_t count = lines_of_code(capture->lines, address, calls, MOST);
  for (size_t i = 0; i < count || i == 0; i++) {
    bool last = i + 1 >= count;
    fprintf(out, "    %s %s", *word, last || !calls[i].function ? symbol : calls[i].function);
    fprintf(out, count && calls[i].file ? ", %s:%d\n" : "\n", calls[i].file, calls[i].number);
    *word = "called by";
  }
}

// The calls within the package, innermost first.
static void tell_calls(const struct capture *capture, const struct allocations *allocations, const char *line,
                       FILE *out)
{
  const char *word = "allocated by";
  for (char *rest; line && *line && *line != '\n'; line = rest) {
    char name[256];
    uint64_t address = strtoull(line, &rest, 16);
    if (rest == line)
      break;
    name_call(capture, allocations->base, address, name, sizeof name);
    if (name[0])
      tell_frame(capture, address - allocations->base - 1, name, &word, out);
  }
}

// Where the variable that leads to a finding, or holds it, is declared.
static void tell_declaration(const struct capture *capture, const struct capture_finding *finding, FILE *out)
{
  struct line line;
  uint64_t place = finding->in_heap ? finding->path.hops[0].offset : finding->place;
  const Elf64_Sym *symbol = symbol_at(capture->linked, FORMAT_W_START + place, STT_OBJECT);
  if (symbol && lines_of_variable(capture->lines, symbol->st_value, &line))
    fprintf(out, "    %s is declared at %s:%d\n", symbol_text(capture->linked, symbol), line.file, line.number);
}

// ---- the report

static void tell(const struct capture *capture, const struct allocations *allocations,
                 const struct capture_finding *finding, FILE *out)
{
  char where[1024], why[512];
  name_finding(capture, finding, FULL, where, sizeof where);
  guess(capture, finding, why, sizeof why);
  fprintf(out, "%s: %s: %s\n", capture->options->name, where, why);
  if (finding->fault != CAPTURE_STREAM)
    fprintf(out, "    in %d runs: 0x%llx, 0x%llx, 0x%llx\n", CAPTURE_RUNS, (unsigned long long)finding->values[0],
            (unsigned long long)finding->values[1], (unsigned long long)finding->values[2]);
  tell_declaration(capture, finding, out);
  if (finding->in_heap)
    tell_calls(capture, allocations, allocation_of(allocations, finding->object), out);
}

static void tell_all(struct capture *capture)
{
  struct allocations allocations AUTO(allocations_deinit) = {0};
  const struct capture_result *result = &capture->result;
  char *text = NULL;
  size_t size = 0;
  capture->lines = lines_open((struct span){capture->bytes.data, capture->bytes.size});
  find_allocations(capture, &allocations);
  FILE *out = open_memstream(&text, &size);
  for (size_t i = 0; out && i < result->finding_count; i++)
    tell(capture, &allocations, &result->findings[i], out);
  if (out && result->findings_left_out)
    fprintf(out, "and %zu more\n", result->findings_left_out);
  if (out)
    fclose(out);
  diagnose(&(struct diagnostics){capture->options->diagnostic, capture->options->diagnostic_context},
           &(struct buffer){.data = (uint8_t *)text, .size = size});
  free(text);
}

enum pkgimg_status capture_explain(struct capture *capture, struct pkgimg_error *error)
{
  const struct capture_result *result = &capture->result;
  char where[1024], why[512];
  tell_all(capture);
  name_finding(capture, &result->findings[0], BRIEF, where, sizeof where);
  guess(capture, &result->findings[0], why, sizeof why);
  return fail_name(error, PKGIMG_CAPTURE, capture->options->name, where,
                   "what initialisation left there is not the same in every run: %s", why);
}

enum pkgimg_status capture_explain_complaint(struct capture *capture, const char *complaint, struct pkgimg_error *error)
{
  const struct capture_result *result = &capture->result;
  char where[1024] = "";
  int descriptor = -1;
  sscanf(complaint, "descriptor %d ", &descriptor);
  for (size_t i = 0; !where[0] && descriptor >= 0 && i < result->finding_count; i++)
    if (result->findings[i].fault == CAPTURE_STREAM && result->findings[i].values[0] == (uint64_t)descriptor)
      name_finding(capture, &result->findings[i], FULL, where, sizeof where);
  if (where[0])
    tell_all(capture);
  return fail_name(error, PKGIMG_CAPTURE, capture->options->name, capture->options->precompile,
                   "the initialisation leaves something behind that no image can hold: %.*s%s%s",
                   (int)strcspn(complaint, "\n"), complaint, where[0] ? ", by the stream in " : "", where);
}

enum pkgimg_status capture_explain_change(const struct capture *capture, const struct snapshot_change *change,
                                          struct pkgimg_error *error)
{
  const struct dep *dep = capture_dep(capture, change->image);
  char name[256];
  struct linked linked;
  struct reader reader = dep->file.reader;
  reader.error = NULL;
  snprintf(name, sizeof name, "data at 0x%llx", (unsigned long long)change->address);
  if (change->address < FORMAT_H_START && linked_read(&reader, &linked) == PKGIMG_OK)
    name_data(&linked, change->address - FORMAT_W_START, name, sizeof name);
  return fail_name(error, PKGIMG_CAPTURE, capture->options->name, name,
                   "the initialisation changed it, but it belongs to the dependency %s (%u words from 0x%llx): let that "
                   "package's own initialisation do so",
                   dep->name, change->count, (unsigned long long)change->address);
}
