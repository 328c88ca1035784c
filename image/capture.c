// SPDX-License-Identifier: MIT
#include "image/capture.h"

#include "image/lines.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- where everything goes in each run. No two things keep their distance from one run to the next, and
// of any two each one lies below the other once. From the first run to the second each thing moves by an odd
// multiple of its alignment: if a program wrote over more low bytes of a pointer than a load keeps, it shows.

enum { GIB = 1 << 30 };

static const uint64_t places_start = 0x100000000000, places_end = 0x500000000000;
static const uint64_t heap_places[CAPTURE_RUNS] = {0x080000000000, 0x600000000000, 0x0a0000000000};

// SplitMix64 (Steele, Lea, Flood 2014).
static uint64_t mix(uint64_t value)
{
  value += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

static uint64_t largest_heap(const struct deps *deps)
{
  uint64_t largest = 0;
  for (size_t i = 0; i < deps->count; i++) {
    uint64_t size = deps->items[i]->file.tables.head->heap.size;
    largest = size > largest ? size : largest;
  }
  return largest;
}

/// The places of an image in a run.
struct places {
  uint64_t base, heap;
};

static struct places places_of(size_t count, uint64_t room, unsigned run, size_t index)
{
  const size_t orders[CAPTURE_RUNS] = {index, count - 1 - index, (index + count / 2) % count};
  uint64_t start = places_start + orders[run] * room, random = mix(run * 1000003ull + index);
  return (struct places){.base = start + ((random & 0x3fffe) | (run & 1)) * FORMAT_PAGE,
                         .heap = start + 4ull * GIB + ((random >> 32 & 0x1fe) | (run & 1)) * FORMAT_HEAP_ALIGN};
}

// The child runs in the folder of the sources.
static enum pkgimg_status add_path(struct string_list *arguments, const char *path, struct pkgimg_error *error)
{
  char *absolute AUTO(free_pointer) = realpath(path, NULL);
  return absolute ? string_list_add(arguments, error, "%s", absolute) : fail_system(error, path, "realpath");
}

static enum pkgimg_status add_places(const struct capture *capture, unsigned run, struct string_list *arguments,
                                     struct pkgimg_error *error)
{
  size_t count = capture->deps->count + 1;
  uint64_t room = 8ull * GIB + (largest_heap(capture->deps) + GIB - 1) / GIB * GIB;
  if (count * room > places_end - places_start)
    return fail(error, PKGIMG_UNSUPPORTED, capture->options->name,
                "its closure of %zu images takes more address space than initialisation can be given", count);
  for (size_t i = 0; i < count; i++) {
    struct places places = places_of(count, room, run, i);
    if (i + 1 < count)
      TRY(add_path(arguments, capture->deps->items[i]->path, error));
    else
      TRY(string_list_add(arguments, error, "%s/%s.so", capture->scratch.path, capture->options->name));
    TRY(string_list_add(arguments, error, "0x%llx", (unsigned long long)places.base));
    TRY(string_list_add(arguments, error, "0x%llx", (unsigned long long)places.heap));
  }
  return PKGIMG_OK;
}

// ---- the child

// Beside this library or program, or where it was built.
static void child_path(char path[4096])
{
  static const char *const folders[] = {"", "../bin/", "../../bin/", "../libexec/pkgimg/"};
  Dl_info self = {0};
  const char *own = dladdr((const void *)(uintptr_t)child_path, &self) ? self.dli_fname : "";
  const char *slash = strrchr(own, '/');
  int length = slash ? (int)(slash - own) + 1 : 0;
  for (size_t i = 0; slash && i < sizeof folders / sizeof *folders; i++) {
    snprintf(path, 4096, "%.*s%spkgimg-capture", length, own, folders[i]);
    if (access(path, X_OK) == 0)
      return;
  }
  snprintf(path, 4096, "%s/pkgimg-capture", PKGIMG_BUILD_BIN);
}

// Memory that both processes see, without a file on a disk.
static enum pkgimg_status make_file(const char *name, uint64_t size, int *fd, struct pkgimg_error *error)
{
  *fd = memfd_create(name, MFD_CLOEXEC);
  if (*fd < 0 || ftruncate(*fd, (off_t)size) < 0)
    return fail_system(error, NULL, "memfd_create");
  return PKGIMG_OK;
}

static unsigned limit_of(const struct pkgimg_build_options *options)
{
  return options->precompile_limit == PKGIMG_LIMIT_DEFAULT ? 300 : options->precompile_limit;
}

enum pkgimg_status capture_run(struct capture *capture, unsigned run, const uint64_t *watched, size_t watched_count,
                               int *exit_code, struct pkgimg_error *error)
{
  struct capture_child_run *at = &capture->runs[run];
  struct string_list arguments AUTO(string_list_deinit) = {0};
  char path[4096];
  child_path(path);
  TRY(make_file("heap", SNAPSHOT_HEAP_SIZE, &at->heap_fd, error));
  TRY(make_file("snapshot", 0, &at->snapshot_fd, error));
  TRY(string_list_add(&arguments, error, "%s", path));
  TRY(string_list_add(&arguments, error, "%s", capture->options->precompile));
  TRY(string_list_add(&arguments, error, "/proc/%d/fd/%d", (int)getpid(), at->heap_fd));
  TRY(string_list_add(&arguments, error, "/proc/%d/fd/%d", (int)getpid(), at->snapshot_fd));
  TRY(string_list_add(&arguments, error, "%u", run));
  TRY(string_list_add(&arguments, error, "0x%llx",
                      (unsigned long long)heap_places[run] + ((mix(run) & 0xffe) | (run & 1)) * FORMAT_HEAP_ALIGN));
  TRY(add_places(capture, run, &arguments, error));
  if (watched_count)
    TRY(string_list_add(&arguments, error, "--"));
  for (size_t i = 0; i < watched_count; i++)
    TRY(string_list_add(&arguments, error, "0x%llx", (unsigned long long)watched[i]));
  return child_run(arguments.items, capture->options->folder, limit_of(capture->options), &at->output,
                   exit_code, error);
}

static void show_output(const struct capture *capture, const struct capture_child_run *run)
{
  diagnose(&(struct diagnostics){capture->options->diagnostic, capture->options->diagnostic_context}, &run->output);
}

static enum pkgimg_status check_exit(const struct capture *capture, unsigned run, int code,
                                     struct pkgimg_error *error)
{
  const struct pkgimg_build_options *options = capture->options;
  if (code == 0)
    return PKGIMG_OK;
  show_output(capture, &capture->runs[run]);
  if (code == CHILD_TIMEOUT)
    return fail_name(error, PKGIMG_CAPTURE, options->name, options->precompile,
                     "run %u of the initialisation did not end within %u seconds", run + 1, limit_of(options));
  if (code > 128)
    return fail_name(error, PKGIMG_CAPTURE, options->name, options->precompile,
                     "run %u of the initialisation ended with signal %d (%s)", run + 1, code - 128,
                     strsignal(code - 128));
  if (code == SNAPSHOT_CHILD_BROKEN || code == SNAPSHOT_CHILD_REFUSED)
    return fail_name(error, PKGIMG_CAPTURE, options->name, options->precompile, "run %u: %.*s", run + 1,
                     (int)strcspn((const char *)capture->runs[run].output.data, "\n"),
                     (const char *)capture->runs[run].output.data);
  return fail_name(error, PKGIMG_CAPTURE, options->name, options->precompile,
                   "run %u of the initialisation left the process with exit code %d", run + 1, code);
}

// ---- what it left

static enum pkgimg_status map_file(int fd, uint64_t size, void *result, struct pkgimg_error *error)
{
  void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED)
    return fail_system(error, NULL, "mmap");
  memcpy(result, &memory, sizeof memory);
  return PKGIMG_OK;
}

static bool table_fits(const struct snapshot *snapshot, const struct snapshot_table *table, uint64_t size)
{
  uint64_t bytes;
  return !__builtin_mul_overflow(table->count, size, &bytes) && range_within(table->offset, bytes, snapshot->size);
}

static bool is_whole(const struct capture *capture, const struct capture_child_run *run)
{
  const struct snapshot *snapshot = run->snapshot;
  uint64_t data = capture->file.header.geometry.areas[AREA_W].memory_size;
  return run->snapshot_size >= sizeof *snapshot && memcmp(snapshot->magic, SNAPSHOT_MAGIC, 8) == 0 &&
         snapshot->size == run->snapshot_size && table_fits(snapshot, &snapshot->images, sizeof(struct snapshot_image)) &&
         snapshot->images.count == capture->deps->count + 1 && table_fits(snapshot, &snapshot->before, 1) &&
         table_fits(snapshot, &snapshot->after, 1) && snapshot->before.count == data &&
         snapshot->after.count == data && table_fits(snapshot, &snapshot->maps, 1) &&
         table_fits(snapshot, &snapshot->symbols, sizeof(struct snapshot_symbol)) &&
         table_fits(snapshot, &snapshot->changes, sizeof(struct snapshot_change)) &&
         table_fits(snapshot, &snapshot->complaints, 1) && snapshot->heap_used <= SNAPSHOT_HEAP_SIZE;
}

static enum pkgimg_status read_run(struct capture *capture, unsigned index, struct pkgimg_error *error)
{
  struct capture_child_run *run = &capture->runs[index];
  struct stat status;
  if (fstat(run->snapshot_fd, &status) < 0)
    return fail_system(error, NULL, "fstat");
  run->snapshot_size = (size_t)status.st_size;
  if (run->snapshot_size)
    TRY(map_file(run->snapshot_fd, run->snapshot_size, &run->snapshot, error));
  if (!run->snapshot_size || !is_whole(capture, run)) {
    show_output(capture, run);
    return fail_name(error, PKGIMG_CAPTURE, capture->options->name, capture->options->precompile,
                     "run %u of the initialisation left the process with exit code 0", index + 1);
  }
  // All runs are looked at as far as any of them used its heap.
  run->heap_size = SNAPSHOT_HEAP_SIZE;
  return map_file(run->heap_fd, run->heap_size, &run->heap, error);
}

static enum pkgimg_status check_changes(const struct capture *capture, struct pkgimg_error *error)
{
  const struct snapshot *snapshot = capture->runs[0].snapshot;
  if (snapshot->changes.count == 0)
    return PKGIMG_OK;
  return capture_explain_change(capture, snapshot_at(snapshot, snapshot->changes.offset), error);
}

// If the kernel gave everything the same place again, a pointer to it would look like a number.
static enum pkgimg_status check_places(const struct capture *capture, struct pkgimg_error *error)
{
  for (int i = 0; i < CAPTURE_RUNS; i++)
    for (int j = 0; j < i; j++) {
      const struct snapshot *a = capture->runs[i].snapshot, *b = capture->runs[j].snapshot;
      const char *first = snapshot_at(a, a->maps.offset), *second = snapshot_at(b, b->maps.offset);
      if (a->stack_end == b->stack_end || (a->maps.count > 12 && memcmp(first, second, 12) == 0))
        return fail_name(error, PKGIMG_CAPTURE, capture->options->name, capture->options->precompile,
                         "address space randomisation is off (kernel.randomize_va_space): pointers to the host "
                         "cannot be told from numbers");
    }
  return PKGIMG_OK;
}

// ---- clones: the runs used the baseline's bodies

static int by_address(const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

static enum pkgimg_status list_clones(const struct tables *tables, struct capture_clones *clones,
                                      struct pkgimg_error *error)
{
  clones->items = calloc(tables->clone_count + 1u, sizeof *clones->items);
  if (!clones->items)
    return fail_memory(error, tables->clone_count * sizeof *clones->items);
  for (uint32_t i = 0; i < tables->clone_count; i++) {
    clones->items[i].address = clone_body(tables, &tables->clones[i], 0);
    clones->items[i].number = i;
  }
  clones->count = tables->clone_count;
  qsort(clones->items, clones->count, sizeof *clones->items, by_address);
  return PKGIMG_OK;
}

static bool clone_at(const void *context, size_t image, uint64_t address, uint32_t *number)
{
  const struct capture *capture = context;
  const struct capture_clones *clones = &capture->clones[image];
  size_t low = 0, high = clones->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (clones->items[middle].address == address) {
      *number = clones->items[middle].number;
      return true;
    }
    *(clones->items[middle].address < address ? &low : &high) =
        clones->items[middle].address < address ? middle + 1 : middle;
  }
  return false;
}

static enum pkgimg_status describe_images(struct capture *capture, struct pkgimg_error *error)
{
  size_t count = capture->deps->count + 1;
  capture->images = calloc(count, sizeof *capture->images);
  capture->clones = calloc(count, sizeof *capture->clones);
  if (!capture->images || !capture->clones)
    return fail_memory(error, count * sizeof *capture->images);
  for (size_t i = 0; i < count; i++) {
    const struct image_file *file = i + 1 < count ? &capture->deps->items[i]->file : &capture->file;
    capture->images[i].size = FORMAT_W_START + file->header.geometry.areas[AREA_W].memory_size;
    TRY(list_clones(&file->tables, &capture->clones[i], error));
  }
  return PKGIMG_OK;
}

// ---- all of it

static enum pkgimg_status check_function(const struct capture *capture, struct pkgimg_error *error)
{
  const char *name = capture->options->precompile;
  const struct symbols *symbols = &capture->file.symbols;
  uint32_t index = symbols_find(symbols, name, gnu_hash(name), 0);
  if (index && ELF64_ST_TYPE(symbols->symbols[index].st_info) == STT_FUNC)
    return PKGIMG_OK;
  return fail_name(error, PKGIMG_UNDEFINED_SYMBOL, capture->options->name, name,
                   "the declared precompile function is %s",
                   index                                ? "not a function"
                   : linked_find(capture->linked, name) ? "not visible to others (static, or hidden)"
                                                        : "not defined");
}

static enum pkgimg_status compare(struct capture *capture, struct pkgimg_error *error)
{
  const struct disk_area *data = &capture->file.header.geometry.areas[AREA_W];
  struct capture_input input = {.name = capture->options->name,
                                .images = capture->images,
                                .image_count = capture->deps->count + 1,
                                .data = {capture->bytes.data + data->file_offset, data->file_size},
                                .data_size = data->memory_size,
                                .clone_at = clone_at,
                                .context = capture};
  for (int i = 0; i < CAPTURE_RUNS; i++) {
    input.runs[i] = capture->runs[i].snapshot;
    input.heaps[i] = capture->runs[i].heap;
  }
  const struct snapshot_table *complaints = &input.runs[0]->complaints;
  TRY(capture_compare(&input, &capture->result, error));
  if (complaints->count)
    return capture_explain_complaint(capture, snapshot_at(input.runs[0], complaints->offset), error);
  return capture->result.finding_count ? capture_explain(capture, error) : PKGIMG_OK;
}

static enum pkgimg_status take_image(struct capture *capture, struct buffer *image, struct pkgimg_error *error)
{
  char name[160];
  capture->bytes = *image;
  *image = (struct buffer){0};
  struct reader reader = {
      .file = capture->options->name, .bytes = {capture->bytes.data, capture->bytes.size}, .error = error};
  TRY(image_file_read(&reader, &capture->file));
  TRY(scratch_init(&capture->scratch, error));
  snprintf(name, sizeof name, "%s.so", capture->options->name);
  return scratch_write(&capture->scratch, name, reader.bytes, error);
}

enum pkgimg_status capture_package(struct capture *capture, const struct pkgimg_build_options *options,
                                   const struct deps *deps, const struct linked *linked, struct buffer *image,
                                   struct pkgimg_error *error)
{
  capture->options = options;
  capture->deps = deps;
  capture->linked = linked;
  for (int i = 0; i < CAPTURE_RUNS; i++)
    capture->runs[i].heap_fd = capture->runs[i].snapshot_fd = -1;
  TRY(take_image(capture, image, error));
  TRY(check_function(capture, error));
  TRY(describe_images(capture, error));
  for (unsigned run = 0; run < CAPTURE_RUNS; run++) {
    int code = 0;
    TRY(capture_run(capture, run, NULL, 0, &code, error));
    TRY(check_exit(capture, run, code, error));
    TRY(read_run(capture, run, error));
  }
  TRY(check_places(capture, error));
  TRY(check_changes(capture, error));
  show_output(capture, &capture->runs[0]);
  return compare(capture, error);
}

void capture_run_deinit(struct capture_child_run *run)
{
  if (run->heap)
    munmap(run->heap, run->heap_size);
  if (run->snapshot)
    munmap(run->snapshot, run->snapshot_size);
  if (run->heap_fd > 0)
    close(run->heap_fd);
  if (run->snapshot_fd > 0)
    close(run->snapshot_fd);
  buffer_deinit(&run->output);
}

void capture_deinit(struct capture *capture)
{
  for (int i = 0; i < CAPTURE_RUNS; i++)
    capture_run_deinit(&capture->runs[i]);
  for (size_t i = 0; capture->clones && i <= capture->deps->count; i++)
    free(capture->clones[i].items);
  free(capture->clones);
  free(capture->images);
  buffer_deinit(&capture->bytes);
  lines_close(capture->lines);
  scratch_deinit(&capture->scratch);
  capture_result_deinit(&capture->result);
}
