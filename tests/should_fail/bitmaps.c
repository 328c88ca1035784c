// SPDX-License-Identifier: MIT
//
// Bitmaps of sites that contradict the serialisation, or the number of words. They are put at the
// end of the tables, so that they may be large.
#include "tests/should_fail/expect.h"
#include "tests/should_fail/groups.h"

#include <stdio.h>
#include <string.h>

enum { ROOM = 1 << 20 };

struct bitmap {
  uint8_t *bytes;
  uint32_t offset;  // of the bytes, in the tables
  uint32_t size;
  uint32_t count;  // as the table says
};

static void put16(struct bitmap *bitmap, uint16_t value)
{
  memcpy(bitmap->bytes + bitmap->size, &value, sizeof value);
  bitmap->size += sizeof value;
}

static void put32(struct bitmap *bitmap, uint32_t value)
{
  put16(bitmap, (uint16_t)value);
  put16(bitmap, (uint16_t)(value >> 16));
}

// Cookie and number of containers, without runs.
static void put_head(struct bitmap *bitmap, uint32_t containers)
{
  put32(bitmap, 12346);
  put32(bitmap, containers);
}

// One array of `count` values, `first` and up by `step`.
static void put_array(struct bitmap *bitmap, uint16_t key, uint16_t count, uint16_t first, int step)
{
  put_head(bitmap, 1);
  put16(bitmap, key);
  put16(bitmap, (uint16_t)(count - 1));
  put32(bitmap, 16);
  for (int i = 0; i < count; i++)
    put16(bitmap, (uint16_t)(first + i * step));
  bitmap->count = count;
}

// The cookie with runs, one container that holds them.
static void put_runs(struct bitmap *bitmap, uint16_t key, uint16_t cardinality, uint16_t runs)
{
  put32(bitmap, 12347);
  bitmap->bytes[bitmap->size++] = 1;
  put16(bitmap, key);
  put16(bitmap, (uint16_t)(cardinality - 1));
  put16(bitmap, runs);
  bitmap->count = cardinality;
}

static void put_run(struct bitmap *bitmap, uint16_t start, uint16_t length)
{
  put16(bitmap, start);
  put16(bitmap, length);
}

static void good(struct bitmap *b)
{
  put_array(b, 0, 3, 4, 2);
}
static void empty(struct bitmap *b)
{
  b->size = 0;
}
static void wrong_cookie(struct bitmap *b)
{
  put_array(b, 0, 3, 4, 2), b->bytes[0]++;
}
static void high_cookie(struct bitmap *b)
{
  put_array(b, 0, 3, 4, 2), b->bytes[2]++;
}
static void head_only(struct bitmap *b)
{
  put_head(b, 1);
}
static void no_offsets(struct bitmap *b)
{
  put_head(b, 1), put32(b, 0);
}
static void no_values(struct bitmap *b)
{
  put_array(b, 0, 3, 4, 2), b->size -= 1;
}
static void byte_too_many(struct bitmap *b)
{
  put_array(b, 0, 3, 4, 2), b->bytes[b->size++] = 0;
}
static void descending(struct bitmap *b)
{
  put_array(b, 0, 3, 9, -2);
}
static void repeated(struct bitmap *b)
{
  put_array(b, 0, 3, 4, 0);
}
static void outside(struct bitmap *b)
{
  put_array(b, 0, 3, 60000, 1);
}
static void key_outside(struct bitmap *b)
{
  put_array(b, 9, 3, 4, 2);
}
static void key_65535(struct bitmap *b)
{
  put_array(b, 65535, 1, 65535, 1);
}
static void fewer_than_said(struct bitmap *b)
{
  put_array(b, 0, 3, 4, 2), b->count = 4;
}
static void more_than_said(struct bitmap *b)
{
  put_array(b, 0, 3, 4, 2), b->count = 2;
}

static void same_key_twice(struct bitmap *b)
{
  put_head(b, 2);
  for (int i = 0; i < 2; i++)
    put32(b, 0);
  put32(b, 24), put32(b, 26);
  put16(b, 5), put16(b, 5);
  b->count = 2;
}

static void keys_descend(struct bitmap *b)
{
  put_head(b, 2);
  put32(b, 1), put32(b, 0);
  put32(b, 24), put32(b, 26);
  put16(b, 5), put16(b, 5);
  b->count = 2;
}

static void containers_65536(struct bitmap *b)
{
  put_head(b, 65536);
  for (uint32_t i = 0; i < 65536; i++)
    put32(b, i);
  for (uint32_t i = 0; i < 65536; i++)
    put32(b, 8 + 8 * 65536 + 2 * i);
  for (uint32_t i = 0; i < 65536; i++)
    put16(b, 0);
  b->count = 1;
}

static void containers_65537(struct bitmap *b)
{
  put_array(b, 0, 3, 4, 2), b->bytes[6] = 1, b->bytes[4] = 1;
}
static void containers_2_32(struct bitmap *b)
{
  put_array(b, 0, 3, 4, 2), memset(b->bytes + 4, 0xff, 4);
}

// 4097 values make a bitset, whatever fits into the universe.
static void bitset_cut(struct bitmap *b)
{
  put_head(b, 1);
  put16(b, 0), put16(b, 4096);
  put32(b, 16);
  for (int i = 0; i < 100; i++)
    put32(b, 0);
  b->count = 1;
}

// A set that says it has 64 values, whose every byte is this one.
static void put_bitset(struct bitmap *b, int byte)
{
  put_head(b, 1);
  put16(b, 0), put16(b, 4096);
  put32(b, 16);
  memset(b->bytes + b->size, byte, 8192);
  b->size += 8192;
  b->count = 64;
}

static void bitset_outside(struct bitmap *b)
{
  put_bitset(b, 0xff);
}
static void bitset_empty(struct bitmap *b)
{
  put_bitset(b, 0);
}

static void good_run(struct bitmap *b)
{
  put_runs(b, 0, 3, 1), put_run(b, 4, 2);
}
static void run_outside(struct bitmap *b)
{
  put_runs(b, 0, 3, 1), put_run(b, 60000, 2);
}
static void run_wraps(struct bitmap *b)
{
  put_runs(b, 65535, 3, 1), put_run(b, 65535, 65535);
}
static void runs_missing(struct bitmap *b)
{
  put_runs(b, 0, 3, 65535), put_run(b, 4, 2);
}
static void runs_overlap(struct bitmap *b)
{
  put_runs(b, 0, 6, 2), put_run(b, 4, 2), put_run(b, 5, 2);
}
static void runs_descend(struct bitmap *b)
{
  put_runs(b, 0, 4, 2), put_run(b, 8, 1), put_run(b, 2, 1);
}
static void no_runs(struct bitmap *b)
{
  put_runs(b, 0, 3, 0);
}
static void no_run_count(struct bitmap *b)
{
  put_runs(b, 0, 3, 1), b->size -= 2;
}

// 65535 times the same 60 words: what a walk does must be bounded by the number of words.
static void runs_without_end(struct bitmap *b)
{
  put_runs(b, 0, 60, 65535);
  for (int i = 0; i < 65535; i++)
    put_run(b, 0, 59);
}

static const struct row {
  const char *name;
  void (*make)(struct bitmap *bitmap);
  enum pkgimg_status verify, load;
} rows[] = {
    {"a good array", good, PKGIMG_OK, PKGIMG_OK},
    {"a good run", good_run, PKGIMG_OK, PKGIMG_OK},
    {"no bytes", empty, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"wrong cookie", wrong_cookie, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"cookie with a number", high_cookie, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"no containers behind their number", head_only, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"no offsets", no_offsets, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"half a value", no_values, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"a byte left over", byte_too_many, PKGIMG_MALFORMED, PKGIMG_OK},
    {"values descend", descending, PKGIMG_MALFORMED, PKGIMG_OK},
    {"a value three times", repeated, PKGIMG_MALFORMED, PKGIMG_OK},
    {"value behind the words", outside, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"key behind the words", key_outside, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"the last id of all", key_65535, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"fewer values than the table says", fewer_than_said, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"more values than the table says", more_than_said, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"one key twice", same_key_twice, PKGIMG_MALFORMED, PKGIMG_OK},
    {"keys descend", keys_descend, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"65536 containers", containers_65536, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"65537 containers", containers_65537, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"2^32 containers", containers_2_32, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"bitset cut off", bitset_cut, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"bitset behind the words", bitset_outside, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"bitset without a bit", bitset_empty, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"run behind the words", run_outside, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"run that wraps", run_wraps, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"runs cut off", runs_missing, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"runs overlap", runs_overlap, PKGIMG_MALFORMED, PKGIMG_OK},
    {"runs descend", runs_descend, PKGIMG_MALFORMED, PKGIMG_OK},
    {"no run", no_runs, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"number of runs cut off", no_run_count, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
    {"65535 equal runs", runs_without_end, PKGIMG_MALFORMED, PKGIMG_MALFORMED},
};

static struct bitmap add_bitmap(struct forgery *forgery, const struct row *row)
{
  uint32_t offset = forgery_grow_tables(forgery, ROOM);
  struct bitmap bitmap = {.bytes = (uint8_t *)forgery_tables(forgery) + offset, .offset = offset};
  row->make(&bitmap);
  return bitmap;
}

static void *first_of(const struct forgery *forgery, const struct disk_table *table)
{
  return (uint8_t *)forgery_tables(forgery) + table->offset;
}

// In the room behind the bitmap, for what a set has beside each of its sites: the first import, or the first clone.
static struct disk_table zeros(const struct bitmap *bitmap, uint32_t count)
{
  return (struct disk_table){.offset = bitmap->offset + ROOM / 2 + ROOM / 4, .count = count};
}

// Which words sets hold decides what an access may read: an image without accesses has any sets.
static void forget_accesses(struct forgery *forgery, const struct bitmap *bitmap)
{
  const uint32_t nothing[] = {12346, 0};
  struct disk_tables *tables = forgery_tables(forgery);
  tables->accesses = (struct disk_site_set){.offset = bitmap->offset + ROOM - 64, .size = sizeof nothing};
  memcpy((uint8_t *)tables + tables->accesses.offset, nothing, sizeof nothing);
}

static void forge_sites(struct forgery *forgery, const struct row *row, uint32_t set)
{
  struct bitmap bitmap = add_bitmap(forgery, row);
  struct disk_tables *tables = forgery_tables(forgery);
  forget_accesses(forgery, &bitmap);
  struct disk_site_set *sets = first_of(forgery, &tables->site_sets);
  sets[set] = (struct disk_site_set){.offset = bitmap.offset, .size = bitmap.size, .count = bitmap.count};
  if (set == tables->site_sets.count - 1)  // the host's
    tables->site_imports = zeros(&bitmap, bitmap.count);
}

static void forge_clones(struct forgery *forgery, const struct row *row, uint32_t set)
{
  struct bitmap bitmap = add_bitmap(forgery, row);
  struct disk_tables *tables = forgery_tables(forgery);
  forget_accesses(forgery, &bitmap);
  struct disk_site_set *sets = first_of(forgery, &tables->clone_sets);
  sets[set] = (struct disk_site_set){.offset = bitmap.offset, .size = bitmap.size, .count = bitmap.count};
  tables->site_clones = zeros(&bitmap, bitmap.count + sets[1 - set].count);
}

// In H there is room for more values, but not for many.
static void forge_captured(struct forgery *forgery, const struct row *row, uint32_t set)
{
  struct bitmap bitmap = add_bitmap(forgery, row);
  struct disk_tables *tables = forgery_tables(forgery);
  struct disk_captured_set *forged = (struct disk_captured_set *)first_of(forgery, &tables->captured_sets) + set;
  forged->offset = bitmap.offset;
  forged->size = bitmap.size;
  forged->count = bitmap.count;
  forged->first = 0;
  tables->captured_details = zeros(&bitmap, ROOM / 4 / sizeof(uint32_t));
}

static void forge_accesses(struct forgery *forgery, const struct row *row, uint32_t set)
{
  struct bitmap bitmap = add_bitmap(forgery, row);
  struct disk_site_set *sets = &forgery_tables(forgery)->accesses;
  sets[set] = (struct disk_site_set){.offset = bitmap.offset, .size = bitmap.size, .count = bitmap.count};
}

/// The sets of an image: of sites, of clones' sites, of captured words, or of accesses. A load does not read those, and
/// none of the rows names instructions.
static const struct where {
  const char *image;
  void (*forge)(struct forgery *forgery, const struct row *row, uint32_t set);
  uint32_t sets;
  bool accesses;
} places[] = {{"full", forge_sites, 3, false},
              {"many", forge_clones, 2, false},
              {"held", forge_captured, 14, false},
              {"full", forge_accesses, 1, true}};

static bool run_row(const struct row *row, const struct where *where, uint32_t set, const struct folders *folders)
{
  struct forgery forgery = take_good(folders, where->image);
  where->forge(&forgery, row, set);
  forgery_seal(&forgery, SEAL_ALL);
  publish(&forgery, folders, where->image);
  forgery_deinit(&forgery);
  struct expectation verify = {.name = row->name, .status = where->accesses ? PKGIMG_MALFORMED : row->verify};
  struct expectation load = {.name = row->name, .status = where->accesses ? PKGIMG_OK : row->load};
  const char *path = image_path(folders->work, where->image);
  return expect_verify(&verify, path) & expect_load(&load, path, PKGIMG_PREFETCH_NONE);
}

unsigned run_bitmaps(const struct folders *folders)
{
  static const char *const needed[] = {"leaf", "many-leaf", "kept", NULL};
  unsigned failures = 0;
  copy_good(folders, needed);
  for (const struct where *where = places; where < places + sizeof places / sizeof *places; where++) {
    for (uint32_t set = 0; set < where->sets; set++)
      for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        failures += !run_row(&rows[i], where, set, folders);
    printf("%zu bitmaps in each of %u sets of %s\n", sizeof rows / sizeof *rows, where->sets, where->image);
  }
  return failures;
}
