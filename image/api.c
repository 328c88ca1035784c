// SPDX-License-Identifier: MIT
//
// The public face: checks arguments, takes the lock, and calls the steps.
#include "base/array.h"
#include "base/clock.h"
#include "image/areas.h"
#include "image/bundle.h"
#include "image/record.h"
#include "image/lock.h"
#include "image/runtime.h"
#include "relocator/gate.h"
#include "relocator/tls.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct pkgimg_runtime *runtimes;

// ---- who owns an address

static bool contains(const struct pkgimg_image *image, uint64_t address)
{
  for (int area = 0; area < AREA_COUNT; area++) {
    uint64_t start = image_base(image) + image->geometry.areas[area].address;
    if (address >= start && address - start < image->geometry.areas[area].memory_size)
      return true;
  }
  return address - (uint64_t)image->heap < image->heap_size;
}

static struct pkgimg_image *find_image(const struct pkgimg_runtime *runtime, const void *address)
{
  struct pkgimg_image *image = runtime->first;
  while (image && !contains(image, (uint64_t)address))
    image = image->next;
  return image;
}

static struct pkgimg_image *find_anywhere(const void *address)
{
  struct pkgimg_image *image = NULL;
  for (struct pkgimg_runtime *runtime = runtimes; runtime && !image; runtime = runtime->next)
    image = find_image(runtime, address);
  return image;
}

static void hold(void *handle)
{
  LOCKED;
  struct pkgimg_image *image = find_anywhere(handle);
  if (image)
    image->pending_at_exit++;
}

static void runtime_destroy(struct pkgimg_runtime *runtime);

static void release(void *handle)
{
  LOCKED;
  struct pkgimg_image *image = find_anywhere(handle);
  struct pkgimg_runtime *runtime = image ? image->runtime : NULL;
  if (!image || --image->pending_at_exit > 0)
    return;
  image_end_if_unused(image);
  if (runtime->closed)
    bundles_close(runtime);
  if (runtime->closed && !runtime->first)
    runtime_destroy(runtime);
}

static void start_process(void)
{
  gate_set_hold((struct gate_hold){hold, release});
}

// ---- runtimes

static enum pkgimg_status copy_search_path(struct pkgimg_runtime *runtime,
                                           const struct pkgimg_runtime_options *options,
                                           struct pkgimg_error *error)
{
  runtime->search_path = calloc(options->search_path_count + 1, sizeof *runtime->search_path);
  if (!runtime->search_path)
    return fail_memory(error, options->search_path_count * sizeof *runtime->search_path);
  for (size_t i = 0; i < options->search_path_count; i++) {
    runtime->search_path[i] = strdup(options->search_path[i]);
    if (!runtime->search_path[i])
      return fail_memory(error, strlen(options->search_path[i]));
    runtime->search_path_count++;
  }
  return PKGIMG_OK;
}

static void forget_runtime(const struct pkgimg_runtime *runtime)
{
  struct pkgimg_runtime **link = &runtimes;
  while (*link && *link != runtime)
    link = &(*link)->next;
  if (*link)
    *link = runtime->next;
}

static void runtime_destroy(struct pkgimg_runtime *runtime)
{
  forget_runtime(runtime);
  for (size_t i = 0; i < runtime->search_path_count; i++)
    free(runtime->search_path[i]);
  free(runtime->search_path);
  buffer_deinit(&runtime->scratch.tables);
  buffer_deinit(&runtime->scratch.imports);
  buffer_deinit(&runtime->scratch.targets);
  world_deinit(&runtime->world);
  free(runtime->index);
  free(runtime);
}

static enum pkgimg_status check_options(const struct pkgimg_runtime_options *options, struct pkgimg_error *error)
{
  if (options->size != sizeof *options)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL,
                "struct pkgimg_runtime_options: size: expected %zu, found %zu", sizeof *options, options->size);
  if (options->prefetch > PKGIMG_PREFETCH_RING ||
      options->flags & ~(PKGIMG_RUNTIME_NO_CODE | PKGIMG_RUNTIME_VERIFY | PKGIMG_RUNTIME_RECORD))
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "unknown prefetch mode %d or flags 0x%x",
                (int)options->prefetch, options->flags);
  return PKGIMG_OK;
}

// What the first load would otherwise pay for: the list of the host's objects, the unwinder.
static enum pkgimg_status prepare(struct pkgimg_runtime *runtime, const struct pkgimg_runtime_options *options,
                                  struct pkgimg_error *error)
{
  LOCKED;
  TRY(copy_search_path(runtime, options, error));
  // To look at the processor costs 8 us; without a mask to check, it waits for an image that asks.
  if (options->cpu_mask || getenv("PKGIMG_CPU_MASK"))
    TRY(runtime_look_at_cpu(runtime, options->cpu_mask, error));
  runtime->vector_bits = options->max_vector_bits;
  TRY(host_refresh(error));
  if (runs_code(runtime))
    unwind_available();
  return PKGIMG_OK;
}

enum pkgimg_status pkgimg_runtime_open(const struct pkgimg_runtime_options *options,
                                       struct pkgimg_runtime **result, struct pkgimg_error *error)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  static const struct pkgimg_runtime_options defaults = {.size = sizeof defaults};
  pthread_once(&once, start_process);
  options = options ? options : &defaults;
  TRY(check_options(options, error));
  struct pkgimg_runtime *runtime = calloc(1, sizeof *runtime);
  if (!runtime)
    return fail_memory(error, sizeof *runtime);
  world_init(&runtime->world);
  runtime->prefetch = options->prefetch;
  runtime->flags = options->flags;
  enum pkgimg_status status = prepare(runtime, options, error);
  if (status != PKGIMG_OK) {
    runtime_destroy(runtime);
    return status;
  }
  LOCKED;
  runtime->next = runtimes;
  runtimes = *result = runtime;
  return PKGIMG_OK;
}

static struct pkgimg_image *last_with_users(const struct pkgimg_runtime *runtime)
{
  struct pkgimg_image *image = runtime->last;
  while (image && image->users == 0)
    image = image->previous;
  return image;
}

// The youngest goes first. An image whose objects some thread will still destroy stays, and its
// runtime with it, until that has happened.
void pkgimg_runtime_close(struct pkgimg_runtime *runtime)
{
  if (!runtime)
    return;
  LOCKED;
  for (struct pkgimg_image *image; (image = last_with_users(runtime));) {
    image->users = 0;
    image_end_if_unused(image);
  }
  bundles_close(runtime);
  runtime->closed = true;
  if (!runtime->first)
    runtime_destroy(runtime);
}

// ---- images

enum pkgimg_status pkgimg_load(struct pkgimg_runtime *runtime, const char *path, struct pkgimg_image **image,
                               struct pkgimg_error *error)
{
  struct pkgimg_image *fresh = NULL;
  if (!runtime || !path || !image)
    return fail(error, PKGIMG_INVALID_ARGUMENT, path, "pkgimg_load: a NULL runtime, path or result");
  LOCKED;
  struct pkgimg_error unread;  // statistics tell of a refusal, whether or not the caller takes errors
  TRY(load_image(runtime, path, image, &fresh, error ? error : &unread));
  uint64_t begin = clock_now();
  images_start(fresh);
  for (struct pkgimg_image *ready = fresh ? fresh : *image; ready; ready = fresh ? ready->next : NULL)
    methods_show(ready);
  runtime->stats.nanoseconds[PKGIMG_PHASE_START] += clock_now() - begin;
  for (struct bundle *bundle = runtime->bundles; bundle; bundle = bundle->next)
    recording_load_done(bundle);
  return PKGIMG_OK;
}

enum pkgimg_status pkgimg_record_end(struct pkgimg_runtime *runtime, struct pkgimg_error *error)
{
  enum pkgimg_status status = PKGIMG_OK;
  bool any = false;
  if (!runtime)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_record_end: a NULL runtime");
  LOCKED;
  for (struct bundle *bundle = runtime->bundles; bundle; bundle = bundle->next) {
    any |= bundle->recording != NULL;
    enum pkgimg_status ended =
        bundle->recording ? recording_end(bundle, status == PKGIMG_OK ? error : NULL) : PKGIMG_OK;
    status = status == PKGIMG_OK ? ended : status;
  }
  if (any)
    return status;
  return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "no bundle is open that is recorded%s%s",
              runtime->stats.bundles_refused ? ": " : "", runtime->stats.refusal);
}

enum pkgimg_status pkgimg_init(struct pkgimg_image *image, struct pkgimg_error *error)
{
  if (!image)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_init: a NULL image");
  LOCKED;
  image_initialise(image);
  return PKGIMG_OK;
}

void pkgimg_close(struct pkgimg_image *image)
{
  if (!image)
    return;
  LOCKED;
  if (image->users > 0)
    image->users--;
  image_end_if_unused(image);
}

static struct symbols symbols_of(const struct pkgimg_image *image)
{
  struct symbols symbols;
  const struct disk_region *table = &image->symbol_table, *strings = &image->symbol_strings,
                           *hash = &image->symbol_hash;
  uint64_t base = image_base(image);
  if (!symbols_init(&symbols,
                    (struct span){(const uint8_t *)(base + table->address), table->count * sizeof(Elf64_Sym)},
                    (struct span){(const uint8_t *)(base + strings->address), strings->count},
                    (struct span){(const uint8_t *)(base + hash->address), hash->count}))
    symbols = (struct symbols){0};
  return symbols;
}

// A load does not hash the symbols of R, so a damaged one shows only here.
static bool is_inside(const struct pkgimg_image *image, const Elf64_Sym *symbol)
{
  if (ELF64_ST_TYPE(symbol->st_info) == STT_TLS)
    return symbol->st_value < image->thread_local_size;
  return contains(image, image_base(image) + symbol->st_value);
}

// A function with several bodies is the one that was chosen.
static uint64_t value_of(const struct pkgimg_image *image, const Elf64_Sym *symbol, uint32_t index)
{
  uint32_t low = 0, high = image->clone_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    *(image->clone_symbols[middle] < index ? &low : &high) =
        image->clone_symbols[middle] < index ? middle + 1 : middle;
  }
  bool cloned = low < image->clone_count && image->clone_symbols[low] == index;
  return cloned ? image->clone_bodies[low] : symbol->st_value;
}

static void *address_of(const struct pkgimg_image *image, const Elf64_Sym *symbol, uint32_t index)
{
  uint64_t address = image_base(image) + value_of(image, symbol, index);
  if (ELF64_ST_TYPE(symbol->st_info) == STT_TLS)
    return tls_get_addr(&(struct tls_index){image->tls_module, symbol->st_value});
  if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC && runs_code(image->runtime))
    return ((void *(*)(void))(uintptr_t)address)();
  return (void *)address;
}

enum pkgimg_status pkgimg_symbol(struct pkgimg_image *image, const char *name, void **address,
                                 struct pkgimg_error *error)
{
  if (!image || !name || !address)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_symbol: a NULL image, name or result");
  struct symbols symbols = symbols_of(image);
  uint32_t index = symbols_find(&symbols, name, gnu_hash(name), 0);
  if (index == 0)
    return fail_name(error, PKGIMG_UNDEFINED_SYMBOL, image->path, name, "the image does not export it");
  if (!is_inside(image, &symbols.symbols[index]))
    return fail_name(error, PKGIMG_MALFORMED, image->path, name, "its value 0x%llx lies outside of the image",
                     (unsigned long long)symbols.symbols[index].st_value);
  *address = address_of(image, &symbols.symbols[index], index);
  return PKGIMG_OK;
}

enum pkgimg_status pkgimg_root(struct pkgimg_image *image, const char *name, void **address,
                               struct pkgimg_error *error)
{
  if (!image || !name || !address)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_root: a NULL image, name or result");
  const struct image_root *root = roots_find(image, name);
  if (!root)
    return fail_name(error, PKGIMG_NOT_FOUND, image->path, name, "the image has no such root (it has %u)",
                     image->root_count);
  *address = (void *)image_address(image, root->address);
  return PKGIMG_OK;
}

const char *pkgimg_image_name(const struct pkgimg_image *image)
{
  return image->name;
}

const char *pkgimg_image_path(const struct pkgimg_image *image)
{
  return image->path;
}

struct pkgimg_image *pkgimg_image_at(struct pkgimg_runtime *runtime, const void *address)
{
  LOCKED;
  struct pkgimg_image *image = find_image(runtime, address);
  if (image)
    return image;
  bundles_activate_at(runtime, (uint64_t)address);
  return find_image(runtime, address);
}

void pkgimg_image_areas(const struct pkgimg_image *image, struct pkgimg_area *areas)
{
  struct disk_area heap = {.address = (uint64_t)image->heap,
                           .memory_size = image->heap_size,
                           .file_offset = image->heap_offset,
                           .file_size = image->heap_stored};
  areas_describe(&image->geometry, image_base(image), &heap, areas);
}

// ---- statistics

enum pkgimg_status pkgimg_runtime_stats(struct pkgimg_runtime *runtime, struct pkgimg_stats *stats,
                                        struct pkgimg_error *error)
{
  if (!runtime || !stats || stats->size != sizeof *stats)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "struct pkgimg_stats: size: expected %zu, found %zu",
                sizeof *stats, stats ? stats->size : 0);
  LOCKED;
  *stats = runtime->stats;
  stats->size = sizeof *stats;
  stats->system_calls = runtime->counts.system_calls;
  stats->mappings = runtime->counts.mappings;
  stats->bytes_read = runtime->counts.bytes_read;
  return PKGIMG_OK;
}

const char *pkgimg_phase_name(enum pkgimg_phase phase)
{
  static const char *const names[PKGIMG_PHASE_COUNT] = {"open",     "prefetch", "map",  "host",
                                                        "relocate", "seal",     "start"};
  return (unsigned)phase < PKGIMG_PHASE_COUNT ? names[phase] : "unknown";
}
