// SPDX-License-Identifier: MIT
//
// Compressed heaps that are not what their image says: a good image with another heap behind its end.
#include "format/packed.h"
#include "tests/should_fail/expect.h"
#include "tests/should_fail/groups.h"
#include "tests/should_fail/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

static const struct chain packed_chain = {"kept", "packed", "packer"};

/// A good image, its heap as it is in memory and in the file, and what is stored instead.
struct workbench {
  const struct folders *folders;
  struct forgery image;
  struct buffer heap, frame, stored;
  struct disk_heap tells;  ///< what the image says of it
};

static void must(bool good, const char *what)
{
  if (good)
    return;
  printf("cannot make an input: %s\n", what);
  exit(2);
}

static void append(struct buffer *buffer, const void *bytes, size_t size)
{
  must(buffer_append(buffer, bytes, size, NULL) == PKGIMG_OK, "memory");
}

static void prepare(struct workbench *bench, const struct folders *folders)
{
  *bench = (struct workbench){.folders = folders, .image = take_good(folders, packed_chain.image)};
  bench->tells = forgery_tables(&bench->image)->heap;
  must(bench->tells.compression == HEAP_ZSTD, "the good image's heap is not compressed");
  append(&bench->frame, bench->image.bytes + bench->tells.file_offset, bench->tells.stored_size);
  append(&bench->heap, NULL, bench->tells.size);
  size_t size = ZSTD_decompress(bench->heap.data, bench->heap.size, bench->frame.data, bench->frame.size);
  must(size == bench->heap.size, "the good heap does not unpack");
}

static void clean(struct workbench *bench)
{
  forgery_deinit(&bench->image);
  buffer_deinit(&bench->heap);
  buffer_deinit(&bench->frame);
  buffer_deinit(&bench->stored);
}

// An image with what is stored now, on a page of its own at the end of the file.
static struct forgery forge(const struct workbench *bench, bool tells_stored)
{
  struct forgery forged;
  size_t at = (bench->image.size + FORMAT_PAGE - 1) & ~(size_t)(FORMAT_PAGE - 1);
  struct buffer file = {0};
  append(&file, bench->image.bytes, bench->image.size);
  append(&file, NULL, at - bench->image.size);
  append(&file, bench->stored.data, bench->stored.size);
  must(forgery_init(&forged, file.data, file.size), "the image has no note");
  struct disk_heap *heap = &forgery_tables(&forged)->heap;
  *heap = bench->tells;
  heap->file_offset = at;
  if (tells_stored)
    heap->stored_size = bench->stored.size;
  buffer_deinit(&file);
  return forged;
}

static bool stored_is(const struct workbench *bench, const char *name, bool tells_stored,
                      enum pkgimg_status status, const char *text)
{
  struct forgery forged = forge(bench, tells_stored);
  struct field_case row = {
      .name = name, .seal = SEAL_ALL, .verify = status, .load = status, .dependency = status, .text = text};
  bool good = run_forgery(&row, &packed_chain, &forged, bench->folders);
  forgery_deinit(&forged);
  return good;
}

// ---- what is stored

// Frames of any content, which may not tell their size.
static void pack_as(struct workbench *bench, size_t size, bool tells_size)
{
  ZSTD_CCtx *context = ZSTD_createCCtx();
  size_t bound = ZSTD_compressBound(size), before = bench->heap.size;
  must(context != NULL, "memory");
  if (size > before)
    append(&bench->heap, NULL, size - before);
  bench->stored.size = 0;
  append(&bench->stored, NULL, bound);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, tells_size);
  bench->stored.size = ZSTD_compress2(context, bench->stored.data, bound, bench->heap.data, size);
  must(!ZSTD_isError(bench->stored.size), "compression");
  bench->heap.size = before;
  ZSTD_freeCCtx(context);
}

static void silent(struct workbench *bench)
{
  pack_as(bench, bench->heap.size, false);
}
static void page_more(struct workbench *bench)
{
  pack_as(bench, bench->heap.size + FORMAT_PAGE, true);
}
static void page_less(struct workbench *bench)
{
  pack_as(bench, bench->heap.size - FORMAT_PAGE, true);
}
static void silent_byte_more(struct workbench *bench)
{
  pack_as(bench, bench->heap.size + 1, false);
}
static void silent_megabytes_more(struct workbench *bench)
{
  pack_as(bench, bench->heap.size + (16 << 20), false);
}
static void silent_byte_less(struct workbench *bench)
{
  pack_as(bench, bench->heap.size - 1, false);
}
static void nothing_inside(struct workbench *bench)
{
  pack_as(bench, 0, false);
}

static void as_it_was(struct workbench *bench)
{
  (void)bench;
}
static void nothing(struct workbench *bench)
{
  bench->stored.size = 0;
}
static void half(struct workbench *bench)
{
  bench->stored.size /= 2;
}
static void without_checksum(struct workbench *bench)
{
  bench->stored.size -= 4;
}
static void without_last(struct workbench *bench)
{
  bench->stored.size--;
}
static void byte_behind(struct workbench *bench)
{
  append(&bench->stored, "", 1);
}
static void pages_behind(struct workbench *bench)
{
  append(&bench->stored, NULL, 100 * FORMAT_PAGE);
}
static void twice(struct workbench *bench)
{
  append(&bench->stored, bench->frame.data, bench->frame.size);
}
static void unpacked(struct workbench *bench)
{
  bench->stored.size = 0;
  append(&bench->stored, bench->heap.data, bench->heap.size);
}

// A frame begins (RFC 8878, 3.1.1) with its number, a byte that describes the header, the window or the size. The
// good one tells its size in two bytes, and has no window of its own.
enum { AT_DESCRIPTOR = 4, AT_SIZE = 5, SINGLE_SEGMENT = 1 << 5 };

static void set_size(struct workbench *bench, uint16_t size)
{
  must(bench->stored.data[AT_DESCRIPTOR] >> 5 == 3, "the frame does not tell its size in two bytes");
  memcpy(bench->stored.data + AT_SIZE, &size, sizeof size);
}
static void claims_more(struct workbench *bench)
{
  set_size(bench, (uint16_t)(bench->heap.size - 256 + 1));
}
static void claims_most(struct workbench *bench)
{
  set_size(bench, UINT16_MAX);
}
static void claims_less(struct workbench *bench)
{
  set_size(bench, (uint16_t)(bench->heap.size - 256 - 1));
}

static void wrong_number(struct workbench *bench)
{
  bench->stored.data[0] ^= 1;
}
static void reserved_bit(struct workbench *bench)
{
  bench->stored.data[AT_DESCRIPTOR] |= 8;
}
static void wrong_content(struct workbench *bench)
{
  bench->stored.data[bench->stored.size / 2] ^= 0x10;
}
static void wrong_checksum(struct workbench *bench)
{
  bench->stored.data[bench->stored.size - 1] ^= 0x80;
}
static void huge_window(struct workbench *bench)
{
  silent(bench);
  must(!(bench->stored.data[AT_DESCRIPTOR] & SINGLE_SEGMENT), "the frame has no window");
  bench->stored.data[AT_DESCRIPTOR + 1] = 18 << 3;  // 2^28
}
// A frame that is to be passed over, and then the good one.
static void skippable_before(struct workbench *bench)
{
  static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
  bench->stored.size = 0;
  append(&bench->stored, skippable, sizeof skippable);
  append(&bench->stored, bench->frame.data, bench->frame.size);
}

// What the image tells.
static void tells_more(struct workbench *bench)
{
  bench->tells.size += FORMAT_PAGE;
}
static void tells_16_gib(struct workbench *bench)
{
  bench->tells.size = 16ull << 30;
}
static void tells_less(struct workbench *bench)
{
  bench->tells.size -= FORMAT_PAGE;
}
static void silent_tells_more(struct workbench *bench)
{
  silent(bench);
  tells_more(bench);
}
static void silent_tells_less(struct workbench *bench)
{
  silent(bench);
  tells_less(bench);
}
static void tells_plain(struct workbench *bench)
{
  bench->tells.compression = HEAP_PLAIN;
}
static void tells_beyond_file(struct workbench *bench)
{
  bench->tells.stored_size = bench->stored.size + 1;
}
static void tells_2_63(struct workbench *bench)
{
  bench->tells.stored_size = 1ull << 63;
}

#define UNPACKS  "bytes that the compressed heap unpacks to"
#define CLAIMS   "size that the compressed heap tells of itself"
#define CONTENTS "at offset 0x"

static const struct row {
  const char *name;
  void (*make)(struct workbench *bench);
  enum pkgimg_status status;
  const char *text;
  bool tells_stored;  ///< the size in the file is told as it is
} rows[] = {
    {"nothing wrong", as_it_was, OK, NULL, true},
    {"a size that is not told", silent, OK, NULL, true},
    {"no frame", nothing, MALFORMED, UNPACKS, true},
    {"half a frame", half, MALFORMED, UNPACKS, true},
    {"no checksum", without_checksum, MALFORMED, "ends of the compressed heap", true},
    {"three bytes of a checksum", without_last, MALFORMED, "ends of the compressed heap", true},
    {"a byte behind the frame", byte_behind, MALFORMED, "behind the compressed heap", true},
    {"pages behind the frame", pages_behind, MALFORMED, "behind the compressed heap", true},
    {"a second frame", twice, MALFORMED, "behind the compressed heap", true},
    {"not compressed", unpacked, MALFORMED, CONTENTS, true},
    {"a page too much", page_more, MALFORMED, CLAIMS, true},
    {"a page too little", page_less, MALFORMED, CLAIMS, true},
    {"a byte too much, untold", silent_byte_more, MALFORMED, UNPACKS ", at least", true},
    {"16 MiB too much, untold", silent_megabytes_more, MALFORMED, UNPACKS ", at least", true},
    {"a byte too little, untold", silent_byte_less, MALFORMED, UNPACKS, true},
    {"an empty frame", nothing_inside, MALFORMED, UNPACKS, true},
    {"claims a byte more", claims_more, MALFORMED, CLAIMS, true},
    {"claims 65791 bytes", claims_most, MALFORMED, CLAIMS, true},
    {"claims a byte less", claims_less, MALFORMED, CLAIMS, true},
    {"another magic number", wrong_number, MALFORMED, CONTENTS, true},
    {"a reserved bit", reserved_bit, MALFORMED, CONTENTS, true},
    {"a wrong bit", wrong_content, MALFORMED, CONTENTS, true},
    {"a wrong checksum", wrong_checksum, MALFORMED, "checksum", true},
    {"a window of 256 MiB", huge_window, MALFORMED, CONTENTS, true},
    {"a skippable frame before", skippable_before, MALFORMED, NULL, true},
    {"heap of a page more", tells_more, MALFORMED, CLAIMS, true},
    {"heap of 16 GiB", tells_16_gib, MALFORMED, CLAIMS, true},
    {"heap of a page less", tells_less, MALFORMED, NULL, true},
    {"heap of a page more than is untold", silent_tells_more, MALFORMED, UNPACKS, true},
    {"heap of a page less than is untold", silent_tells_less, MALFORMED, NULL, true},
    {"not said to be compressed", tells_plain, MALFORMED, "stored size of the heap", true},
    {"more stored than is in the file", tells_beyond_file, TRUNCATED, NULL, false},
    {"2^63 bytes stored", tells_2_63, MALFORMED, "file offset of the heap", false},
};

static unsigned run_row(struct workbench *bench, const struct row *row)
{
  const struct disk_heap tells = bench->tells;
  bench->stored.size = 0;
  append(&bench->stored, bench->frame.data, bench->frame.size);
  row->make(bench);
  bool good = stored_is(bench, row->name, row->tells_stored, row->status, row->text);
  bench->tells = tells;
  return !good;
}

// ---- at every byte

static unsigned cut_everywhere(struct workbench *bench)
{
  unsigned failures = 0;
  bench->stored.size = 0;
  append(&bench->stored, bench->frame.data, bench->frame.size);
  for (size_t size = bench->frame.size; size-- > 0;) {
    char name[64];
    snprintf(name, sizeof name, "%zu bytes of a frame", size);
    bench->stored.size = size;
    failures += !stored_is(bench, name, true, MALFORMED, "compressed heap");
  }
  return failures;
}

// Every byte of the contents and of the checksum, each with one wrong bit.
static unsigned flip_everywhere(struct workbench *bench)
{
  unsigned failures = 0;
  bench->stored.size = 0;
  append(&bench->stored, bench->frame.data, bench->frame.size);
  for (size_t at = 0; at < bench->frame.size; at++) {
    char name[64];
    snprintf(name, sizeof name, "a wrong bit in byte %zu of a frame", at);
    bench->stored.data[at] ^= 1u << (at + 1) % 8;
    failures += !stored_is(bench, name, true, MALFORMED, "compressed heap");
    bench->stored.data[at] ^= 1u << (at + 1) % 8;
  }
  return failures;
}

// A frame of exactly `size` bytes: a window, the content's size if `size_bytes` are to tell it, one block with the
// content, empty ones, and the checksum that another frame has.
static void frame_of(struct workbench *bench, size_t size, unsigned size_bytes)
{
  static const uint8_t descriptors[] = {[0] = 0x04, [2] = 0x44, [4] = 0x84, [8] = 0xc4};
  uint8_t header[] = {0x28, 0xb5, 0x2f, 0xfd, descriptors[size_bytes], (17 - 10) << 3}, checksum[4];
  uint64_t content = bench->heap.size;
  uint32_t block = (uint32_t)content << 3, last = 1;
  pack_as(bench, content, true);
  memcpy(checksum, bench->stored.data + bench->stored.size - sizeof checksum, sizeof checksum);
  bench->stored.size = 0;
  append(&bench->stored, header, sizeof header);
  append(&bench->stored, &content, size_bytes);
  append(&bench->stored, &block, 3);
  append(&bench->stored, bench->heap.data, content);
  while (bench->stored.size + 3 + sizeof checksum < size)
    append(&bench->stored, NULL, 3);
  append(&bench->stored, &last, 3);
  append(&bench->stored, checksum, sizeof checksum);
  must(bench->stored.size == size, "a frame of the size of a piece");
}

// A load reads the frame in pieces: frames that end with a piece, and up to their checksum behind it.
static unsigned end_at_piece(struct workbench *bench)
{
  enum { PIECE = 128 << 10 };
  static const unsigned size_bytes[] = {0, 4, 8, 0, 4};
  unsigned failures = 0;
  append(&bench->heap, NULL, PIECE - FORMAT_PAGE - bench->heap.size);
  bench->tells.size = bench->heap.size;
  for (size_t i = 0; i < COUNT(size_bytes); i++) {
    frame_of(bench, PIECE + i, size_bytes[i]);
    failures += !stored_is(bench, "a frame of a piece and a little", true, OK, NULL);
    append(&bench->stored, "", 1);
    failures += !stored_is(bench, "a byte behind a piece", true, MALFORMED, "behind the compressed heap");
    bench->stored.size -= 2;
    failures += !stored_is(bench, "a frame without its last byte", true, MALFORMED, "ends of the compressed heap");
  }
  return failures;
}

unsigned run_packed(const struct folders *folders)
{
  static const char *const needed[] = {"kept", NULL};
  struct workbench bench;
  unsigned failures = 0;
  copy_good(folders, needed);
  prepare(&bench, folders);
  for (size_t i = 0; i < COUNT(rows); i++)
    failures += run_row(&bench, &rows[i]);
  failures += cut_everywhere(&bench) + flip_everywhere(&bench) + end_at_piece(&bench);
  clean(&bench);
  return failures;
}
