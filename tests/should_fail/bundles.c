// SPDX-License-Identifier: MIT
//
// Bundles with wrong fields. A load hashes the header alone, so whatever else it uses must stand a check where it
// is used.
#include "base/hash.h"
#include "format/bundle_view.h"
#include "tests/should_fail/expect.h"
#include "tests/should_fail/groups.h"
#include "tests/should_fail/rows.h"

#include <fcntl.h>
#include <pkgimg/bind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct forged {
  uint8_t *bytes;
  size_t size;
  struct bundle_header *head;
};

/// What an offset counts from: the header, or the first entry of a table that the main image uses.
enum part {
  IN_HEADER,
  IN_IMAGE,  ///< the main one
  IN_FIRST_IMAGE,
  IN_ORDER,
  IN_STRINGS,
  IN_NAMES,
  IN_IDS,
  IN_GATE,
  IN_GATE_USE,
  IN_IMPORT,
  IN_RESIDUAL,
  IN_DEPENDENCY,
  IN_BODY,
  IN_BODY_SYMBOL,
  IN_LIBRARY,
  IN_UNWIND,
  IN_THUNK,
  IN_PLACE,
};

struct bundle_case {
  const char *name;
  enum part part;
  size_t offset, size;
  uint64_t value;
  enum pkgimg_status verify, load;
  const char *text;
};

#define HEAD(member, value)                                                                                       \
  IN_HEADER, offsetof(struct bundle_header, member), sizeof(((struct bundle_header *)0)->member), value
#define IMAGE(member, value)                                                                                      \
  IN_IMAGE, offsetof(struct bundle_image, member), sizeof(((struct bundle_image *)0)->member), value
#define FIRST(member, value)                                                                                      \
  IN_FIRST_IMAGE, offsetof(struct bundle_image, member), sizeof(((struct bundle_image *)0)->member), value
#define WORD(member, value)                                                                                       \
  IN_RESIDUAL, offsetof(struct bundle_residual, member), sizeof(((struct bundle_residual *)0)->member), value
#define GATE(member, value)                                                                                       \
  IN_GATE, offsetof(struct bundle_gate, member), sizeof(((struct bundle_gate *)0)->member), value
#define PLACE(member, value)                                                                                      \
  IN_PLACE, offsetof(struct bundle_library, member), sizeof(((struct bundle_library *)0)->member), value
#define NUMBER(part, value) part, 0, 4, value

static const struct bundle_case cases[] = {
    // The header.
    {"another version", HEAD(version, 99), VERSION, VERSION, "version"},
    {"another machine", HEAD(machine, EM_AARCH64), MACHINE, MACHINE, "processor"},
    {"base 0", HEAD(base, 0), MALFORMED, MALFORMED, "base"},
    {"base beside 2 MiB", HEAD(base, 0x200000001000), MALFORMED, MALFORMED, "base"},
    {"base of the kernel", HEAD(base, 0xffff800000000000), MALFORMED, MALFORMED, "base"},
    {"code elsewhere", HEAD(blocks[0].file_offset, 0x200000), MALFORMED, MALFORMED, "file offset of a block"},
    {"no code", HEAD(blocks[0].size, 0), MALFORMED, MALFORMED, "file offset of a block"},
    {"code over L", HEAD(blocks[0].size, 0x40200000), MALFORMED, MALFORMED, "size of a block"},
    {"L beside a page", HEAD(blocks[1].size, 0x200), MALFORMED, MALFORMED, "size of a block"},
    {"no L", HEAD(blocks[1].size, 0), MALFORMED, MALFORMED, NULL},
    {"W of 2^64", HEAD(blocks[2].size, HUGE & ~0x1fffffull), MALFORMED, MALFORMED, "size of a block"},
    {"H behind the file", HEAD(blocks[7].size, 0x100000), TRUNCATED, TRUNCATED, "bytes of the bundle"},
    {"H of 2^63", HEAD(blocks[3].size, 1ull << 63), MALFORMED, MALFORMED, "size of a block"},
    {"drawn never", HEAD(aslr, 3), MALFORMED, MALFORMED, "addresses"},
    {"no regions", HEAD(regions, 0), MALFORMED, MALFORMED, "number of regions"},
    {"more regions than there may be", HEAD(regions, 9), MALFORMED, MALFORMED, "number of regions"},
    {"fewer regions than blocks", HEAD(regions, 1), MALFORMED, MALFORMED, "a block of no region"},
    {"more regions than blocks", HEAD(regions, 3), MALFORMED, MALFORMED, "file offset of a block"},
    {"another region elsewhere", HEAD(blocks[4].file_offset, 0), MALFORMED, MALFORMED, "file offset of a block"},
    {"W of another region too small", HEAD(blocks[6].size, 0), MALFORMED, MALFORMED, "size of a block"},
    {"code of another region over L", HEAD(blocks[4].size, 0x40200000), MALFORMED, MALFORMED, "size of a block"},
    {"main image that is not", HEAD(main_image, 99), MALFORMED, MALFORMED, "main image"},
    {"words of gates at 0", HEAD(slots, 0), MALFORMED, MALFORMED, "gates"},
    {"words of gates beside a word", HEAD(slots, 0x1004), MALFORMED, MALFORMED, "gates"},
    {"words of gates behind the code", HEAD(slots, 0x10000000), MALFORMED, MALFORMED, NULL},
    {"words of gates at 2^64", HEAD(slots, HUGE & ~0xfffull), MALFORMED, MALFORMED, "gates"},
    {"strings behind the code", HEAD(strings.offset, 0x40000000), MALFORMED, MALFORMED, "strings"},
    {"2^63 strings", HEAD(strings.count, 1ull << 63), MALFORMED, MALFORMED, "strings"},
    {"no strings", HEAD(strings.count, 0), MALFORMED, MALFORMED, NULL},
    {"images beside 8 bytes", HEAD(images.offset, 4097), MALFORMED, MALFORMED, "images"},
    {"2^32 images", HEAD(images.count, 1ull << 32), MALFORMED, MALFORMED, "images"},
    {"no images", HEAD(images.count, 0), MALFORMED, MALFORMED, "main image"},
    {"images whose size wraps", HEAD(images.count, 0x0800000000000000), MALFORMED, MALFORMED, "images"},
    {"images without an order", HEAD(order.count, 0), MALFORMED, MALFORMED, "order"},
    {"index of three names", HEAD(names.count, 3), MALFORMED, MALFORMED, "index"},
    {"index without room", HEAD(names.count, 1), MALFORMED, MALFORMED, "index"},
    {"index of no build ids", HEAD(ids.count, 0), MALFORMED, MALFORMED, "index"},
    {"2^61 gates", HEAD(gates.count, 1ull << 61), MALFORMED, MALFORMED, "gates"},
    {"gates at 2^64", HEAD(gates.offset, HUGE - 7), MALFORMED, MALFORMED, "gates"},
    {"uses of gates at the end", HEAD(gate_uses.offset, 0x200000), MALFORMED, MALFORMED, NULL},
    {"2^40 imports", HEAD(imports.count, 1ull << 40), MALFORMED, MALFORMED, "imports"},
    {"2^40 residuals", HEAD(residuals.count, 1ull << 40), MALFORMED, MALFORMED, "residual"},
    {"no residuals", HEAD(residuals.count, 0), MALFORMED, MALFORMED, "residual"},
    {"no dependencies", HEAD(dependencies.count, 0), MALFORMED, MALFORMED, "dependencies"},
    {"bodies without symbols", HEAD(body_symbols.count, 0), MALFORMED, MALFORMED, "symbols of bodies"},
    {"libraries of an image that are not", IMAGE(libraries.first, 9999), MALFORMED, MALFORMED, "libraries of an image"},
    {"2^40 libraries", HEAD(libraries.count, 1ull << 40), MALFORMED, MALFORMED, "libraries"},
    {"two system images", HEAD(sysimage.count, 2), MALFORMED, MALFORMED, "system images"},
    {"a system image behind the code", HEAD(sysimage.offset, 0x40000000), MALFORMED, MALFORMED, "system image"},
    {"a system image that is not", HEAD(sysimage.count, 1), MALFORMED, OK, "system image"},
    {"unwind tables without an end", HEAD(unwind.count, 1), MALFORMED, MALFORMED, "unwind"},
    // The main image.
    {"image on the header", IMAGE(offset, 0), MALFORMED, MALFORMED, "offset of an image"},
    {"image beside a page", IMAGE(offset, 4104), MALFORMED, MALFORMED, "offset of an image"},
    {"image behind the others", IMAGE(offset, 0x40000000), MALFORMED, MALFORMED, "offset of an image"},
    {"image in no region", IMAGE(offset, 2 * BUNDLE_STRIDE + 0x1000), MALFORMED, MALFORMED, "offset of an image"},
    {"image at the start of a region", IMAGE(offset, BUNDLE_STRIDE), MALFORMED, MALFORMED, "offset of an image"},
    {"image at 2^64", IMAGE(offset, HUGE & ~0xfffull), MALFORMED, MALFORMED, "offset of an image"},
    {"image on another", IMAGE(offset, 0x1000), MALFORMED, MALFORMED, NULL},
    {"image of a page", IMAGE(slot_size, 0x1000), MALFORMED, MALFORMED, "size of an image"},
    {"image of 2^64", IMAGE(slot_size, HUGE), MALFORMED, MALFORMED, "size of an image"},
    {"heap without H", IMAGE(heap_size, 0x1000), MALFORMED, MALFORMED, "heap"},
    {"heap behind H", IMAGE(heap, 0x200000), OK, OK, NULL},
    {"name behind the strings", IMAGE(name, 0x10000000), MALFORMED, MALFORMED, "name"},
    {"no name", IMAGE(name, 0), MALFORMED, MALFORMED, "name"},
    {"path behind the strings", IMAGE(path, UINT32_MAX), MALFORMED, MALFORMED, "path"},
    {"nothing to do", IMAGE(work, 0), MALFORMED, OK, "work"},
    {"unknown work", IMAGE(work, 0x3f), MALFORMED, OK, "work"},
    {"dependencies behind the table", IMAGE(dependencies.first, 999), MALFORMED, MALFORMED, "dependencies"},
    {"2^32 dependencies", IMAGE(dependencies.count, UINT32_MAX), MALFORMED, MALFORMED, "dependencies"},
    {"residuals behind the table", IMAGE(residuals.first, UINT32_MAX), MALFORMED, MALFORMED, "residual"},
    {"2^32 residuals", IMAGE(residuals.count, UINT32_MAX), MALFORMED, MALFORMED, "residual"},
    {"2^32 gates", IMAGE(gates.count, UINT32_MAX), MALFORMED, MALFORMED, "gates"},
    {"2^32 bodies", IMAGE(bodies.count, UINT32_MAX), MALFORMED, MALFORMED, "bodies"},
    {"area of 2^64", IMAGE(geometry.areas[3].memory_size, HUGE), MALFORMED, MALFORMED, "memory size"},
    {"area elsewhere", IMAGE(geometry.areas[2].address, 0), MALFORMED, MALFORMED, "address of an area"},
    {"area of 512 MiB", IMAGE(geometry.areas[3].memory_size, LIMIT), MALFORMED, MALFORMED, "size of an image"},
    {"symbols in L", IMAGE(symbols.address, L_START), MALFORMED, MALFORMED, "symbols"},
    {"2^64 symbols", IMAGE(symbols.count, HUGE), MALFORMED, MALFORMED, "symbols"},
    {"symbol strings at 2^64", IMAGE(symbol_strings.address, HUGE), MALFORMED, MALFORMED, "symbol strings"},
    {"hash table behind R", IMAGE(symbol_hash.count, 0x100000), MALFORMED, MALFORMED, "hash table"},
    {"unwind table in W", IMAGE(unwind.address, W_START), MALFORMED, MALFORMED, "unwind"},
    {"constructors in X", IMAGE(init_array.address, 0x1000), MALFORMED, MALFORMED, "constructors"},
    {"2^61 constructors", IMAGE(init_array.count, 1ull << 61), MALFORMED, MALFORMED, "constructors"},
    {"destructors beside a word", IMAGE(fini_array.address, L_START + 4), MALFORMED, MALFORMED, "destructors"},
    {"template behind L", IMAGE(thread_local.count, 0x100000), MALFORMED, MALFORMED, "thread-local"},
    {"block smaller than its template", IMAGE(thread_local_size, 1), MALFORMED, MALFORMED, "thread-local"},
    {"block of 2^63 bytes", IMAGE(thread_local_size, 1ull << 63), MALFORMED, MALFORMED, "thread-local"},
    {"alignment of 3", IMAGE(thread_local_align, 3), MALFORMED, MALFORMED, "alignment"},
    {"alignment of 0", IMAGE(thread_local_align, 0), MALFORMED, MALFORMED, "alignment"},
    {"initialisation in W", IMAGE(init_function, W_START), MALFORMED, MALFORMED, "initialisation"},
    {"handle at 2^64", IMAGE(handle, HUGE), MALFORMED, MALFORMED, "__dso_handle"},
    {"exits without a heap", IMAGE(exits.count, 1), MALFORMED, MALFORMED, "exits"},
    {"2^63 exits", IMAGE(exits.count, 1ull << 63), MALFORMED, MALFORMED, "exits"},
    {"the first image on the header", FIRST(offset, 0), MALFORMED, OK, "offset of an image"},
    // The other tables.
    {"number in the order of images", NUMBER(IN_ORDER, 999), MALFORMED, OK, "order of images"},
    {"an image that is there twice", NUMBER(IN_ORDER, 1), MALFORMED, OK, "offset of an image"},
    {"a first string", IN_STRINGS, 0, 1, 'x', MALFORMED, OK, "strings"},
    {"number in the index of names", NUMBER(IN_NAMES, 999), MALFORMED, OK, "index"},
    {"number in the index of build ids", NUMBER(IN_IDS, 999), MALFORMED, OK, "index"},
    {"gate without a name", GATE(name, UINT32_MAX), MALFORMED, OK, NULL},
    {"gate in a library that is not", GATE(library, 999), MALFORMED, OK, "number of a library"},
    {"gate behind its library", GATE(value, 0x7fffffff), OK, OK, NULL},
    {"gate that resolves twice", GATE(resolver, 2), MALFORMED, OK, "flags"},
    {"build id of 33 bytes", PLACE(size, 33), MALFORMED, MALFORMED, "bytes of a build id"},
    {"library of no name", PLACE(name, UINT32_MAX), MALFORMED, OK, "bytes of strings"},
    {"gate of another hash", GATE(hash, 1), MALFORMED, OK, "hash of a name"},
    {"gate that is weak twice", GATE(weak, 2), MALFORMED, OK, "flags"},
    {"gate that is not", NUMBER(IN_GATE_USE, 999), MALFORMED, OK, "number of a gate"},
    {"import without a name", IN_IMPORT, 0, 4, UINT32_MAX, MALFORMED, OK, "bytes of strings"},
    {"residual in the code", WORD(address, 0x1000), MALFORMED, MALFORMED, "address of a residual"},
    {"residual of another image", WORD(address, W_START + 0x1000), MALFORMED, MALFORMED, "address of a residual"},
    {"residual at 2^64", WORD(address, HUGE - 3), MALFORMED, MALFORMED, "address of a residual"},
    {"residual of no type", WORD(type, 99), MALFORMED, MALFORMED, "type"},
    {"residual of a refused type", WORD(type, R_X86_64_TPOFF64), MALFORMED, MALFORMED, "type"},
    {"residual of an import that is not", WORD(import, 999), MALFORMED, MALFORMED, NULL},
    {"dependency that is not", NUMBER(IN_DEPENDENCY, 999), MALFORMED, MALFORMED, "number of a dependency"},
    {"dependency on itself", NUMBER(IN_DEPENDENCY, 4), MALFORMED, OK, "number of a dependency"},
    {"body in R", NUMBER(IN_BODY, 8), MALFORMED, OK, "address of a body"},
    {"body of a symbol that is not", NUMBER(IN_BODY_SYMBOL, 9999), MALFORMED, OK, "symbol"},
    {"library without a name", NUMBER(IN_LIBRARY, UINT32_MAX), MALFORMED, OK, "bytes of strings"},
    {"unwind table of the kernel", IN_UNWIND, 0, 8, 0xffff800000000000, MALFORMED, MALFORMED, "unwind"},
    {"unwind table at 0", IN_UNWIND, 0, 8, 0, MALFORMED, MALFORMED, "unwind"},
    {"thunk elsewhere", IN_THUNK, 2, 1, 0x77, MALFORMED, OK, "thunk"},
};

static struct forged take(const char *path)
{
  struct forged forged;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  off_t size = lseek(fd, 0, SEEK_END);
  forged.size = (size_t)size;
  forged.bytes = malloc(forged.size);
  if (fd < 0 || size <= 0 || !forged.bytes || pread(fd, forged.bytes, forged.size, 0) != size)
    abort();
  close(fd);
  forged.head = (struct bundle_header *)(void *)forged.bytes;
  return forged;
}

static void seal(const struct forged *forged)
{
  struct bundle_header *head = forged->head;
  struct hash128 *hash = hash128_create();
  if (!hash)
    abort();
  memset(head->build_id, 0, sizeof head->build_id);
  head->hash = 0;
  hash128_add(hash, forged->bytes, forged->size);
  hash128_result(hash, head->build_id);
  hash128_destroy(hash);
  head->hash = hash64(forged->bytes + BUNDLE_HASHED, sizeof *head - BUNDLE_HASHED);
}

static uint64_t entry(const struct bundle_table *table, uint64_t index, size_t size)
{
  return table->offset + index * size;
}

// The first gate that has a place in a library, so that a load believes it.
static uint64_t placed_gate(const struct forged *forged)
{
  const struct bundle_table *table = &forged->head->gates;
  const struct bundle_gate *gates = (const struct bundle_gate *)(void *)(forged->bytes + table->offset);
  for (uint64_t i = 0; i < table->count; i++)
    if (gates[i].library)
      return entry(table, i, sizeof *gates);
  abort();
}

static uint64_t place_of(const struct forged *forged, enum part part)
{
  const struct bundle_header *head = forged->head;
  uint64_t main_image = entry(&head->images, head->main_image, sizeof(struct bundle_image));
  const struct bundle_image *image = (const struct bundle_image *)(void *)(forged->bytes + main_image);
  const uint64_t places[] = {
      [IN_HEADER] = 0,
      [IN_IMAGE] = main_image,
      [IN_FIRST_IMAGE] = head->images.offset,
      [IN_ORDER] = head->order.offset,
      [IN_STRINGS] = head->strings.offset,
      [IN_NAMES] = head->names.offset,
      [IN_IDS] = head->ids.offset,
      [IN_GATE] = placed_gate(forged),
      [IN_GATE_USE] = head->gate_uses.offset,
      [IN_IMPORT] = head->imports.offset,
      [IN_RESIDUAL] = entry(&head->residuals, image->residuals.first, sizeof(struct bundle_residual)),
      [IN_DEPENDENCY] = entry(&head->dependencies, image->dependencies.first, 4),
      [IN_BODY] = head->bodies.offset,
      [IN_BODY_SYMBOL] = head->body_symbols.offset,
      [IN_LIBRARY] = head->libraries.offset,
      [IN_UNWIND] = head->unwind.offset,
      [IN_THUNK] = head->slots,
      [IN_PLACE] = head->places.offset,
  };
  return places[part];
}

static unsigned run_case(const struct bundle_case *row, const char *good, const char *path)
{
  struct forged forged = take(good);
  memcpy(forged.bytes + place_of(&forged, row->part) + row->offset, &row->value, row->size);
  seal(&forged);
  file_write(path, forged.bytes, forged.size);
  struct expectation verify = {row->name, row->verify, row->text};
  struct expectation load = {row->name, row->load, row->verify == row->load ? row->text : NULL};
  unsigned failures = !expect_verify(&verify, path);
  failures += !expect_load(&load, path, PKGIMG_PREFETCH_NONE);
  free(forged.bytes);
  return failures;
}

// ---- cut, and damaged at random

static unsigned run_cuts(const char *good, const char *path)
{
  struct forged forged = take(good);
  const size_t sizes[] = {8,        16,       sizeof *forged.head - 1, sizeof *forged.head, FORMAT_PAGE, 0x10000,
                          forged.size / 2, forged.size - 1};
  unsigned failures = 0;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char name[64];
    snprintf(name, sizeof name, "cut to %zu bytes", sizes[i]);
    struct expectation expected = {name, TRUNCATED, "bundle"};
    file_write(path, forged.bytes, sizes[i]);
    failures += !expect_verify(&expected, path) + !expect_load(&expected, path, PKGIMG_PREFETCH_NONE);
  }
  free(forged.bytes);
  return failures;
}

static unsigned run_unsealed(const char *good, const char *path)
{
  struct forged forged = take(good);
  struct expectation header = {"a bit of the header", MISMATCH, "hash of the bundle's header"};
  struct expectation code = {"a bit of the code", MISMATCH, "build id"}, none = {"a bit of the code", OK, NULL};
  forged.head->base ^= 0x200000;
  file_write(path, forged.bytes, forged.size);
  unsigned failures = !expect_verify(&header, path) + !expect_load(&header, path, PKGIMG_PREFETCH_NONE);
  forged.head->base ^= 0x200000;
  forged.bytes[forged.size - 1] ^= 1;
  file_write(path, forged.bytes, forged.size);
  failures += !expect_verify(&code, path) + !expect_load(&none, path, PKGIMG_PREFETCH_NONE);
  free(forged.bytes);
  return failures;
}

// Whatever stands in the tables, a load ends with a status.
static unsigned run_random(const char *good, const char *path)
{
  enum { TIMES = 400 };
  struct forged forged = take(good);
  uint64_t state = 1, first = sizeof *forged.head, last = forged.head->slots;
  unsigned accepted = 0, failures = 0;
  for (int i = 0; i < TIMES; i++) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    uint64_t at = first + (state >> 33) % (last - first);
    uint8_t old = forged.bytes[at];
    forged.bytes[at] = i & 1 ? 0xff : (uint8_t)(old ^ 1u << (state >> 20 & 7));
    struct bundle_header head;
    struct bundle_view view;
    struct pkgimg_error error = {0};
    struct reader reader = {.file = path, .bytes = {forged.bytes, forged.size}, .error = &error};
    if (i % 8 == 0 && forged.bytes[at] != old && bundle_file_read(&reader, &head, &view) == OK)
      failures += (unsigned)printf("byte %llu: verify did not notice\n", (unsigned long long)at) > 0;
    file_write(path, forged.bytes, forged.size);
    enum pkgimg_status status = try_load(path, &error);
    accepted += status == OK;
    failures += status != OK && !error_is_complete("damaged", &error);
    forged.bytes[at] = old;
  }
  printf("%u of %d damaged bundles were loaded\n", accepted, TIMES);
  free(forged.bytes);
  return failures;
}

unsigned run_bundles(const struct folders *folders)
{
  char good[PATH_MAX], path[PATH_MAX];
  const char *images[] = {image_path(folders->good, "many-top"), image_path(folders->good, "full")};
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  struct pkgimg_error error;
  snprintf(good, sizeof good, "%s/good.bundle", folders->work);
  snprintf(path, sizeof path, "%s/forged.bundle", folders->work);
  options.output = good;
  options.images = images;
  options.image_count = 2;
  options.base = 0x200012200000;
  options.reach = 0x10000;
  struct pkgimg_bind_report report;
  if (pkgimg_bind(&options, &report, &error) != PKGIMG_OK)
    return (unsigned)printf("%s\n", error.text);
  if (report.regions != 2)
    return (unsigned)printf("the good bundle has %u regions\n", (unsigned)report.regions);
  struct expectation fine = {"the good bundle", OK, NULL};
  unsigned failures = !expect_verify(&fine, good) + !expect_load(&fine, good, PKGIMG_PREFETCH_NONE);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    failures += run_case(&cases[i], good, path);
  return failures + run_cuts(good, path) + run_unsealed(good, path) + run_random(good, path);
}
