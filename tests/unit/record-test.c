// SPDX-License-Identifier: MIT
//
// Records of starts: what is in them, what a load from the disk reads by them, what bind makes of them, and that a
// bad one does nothing. Nothing here is about time.
#include "tests/unit/bundles.h"
#include "tests/unit/forbid.h"

#include "base/hash.h"
#include "format/pages.h"
#include "mapper/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <roaring/roaring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

CHECK_MAIN_FILE

static const char images[] = "captured-one nested bodies tables top";

// ---- what is in a record

/// A bundle with its record.
struct subject {
  char path[256], record[256];
  uint8_t *bytes;
  struct bundle_header head;
  struct bundle_view view;
  struct buffer record_bytes;
  struct pages pages;
  roaring_bitmap_t *sets[PAGES_SETS];
};

static void name(struct subject *subject, const char *path)
{
  snprintf(subject->path, sizeof subject->path, "%s", path);
  snprintf(subject->record, sizeof subject->record, "%.240s.pages", path);
}

static void take_bundle(struct subject *subject)
{
  size_t size;
  subject->bytes = read_all(subject->path, &size);
  struct reader reader = {.file = subject->path, .bytes = {subject->bytes, size}, .error = &error};
  CHECK_OK(bundle_file_read(&reader, &subject->head, &subject->view), &error);
}

static void forget_record(struct subject *subject)
{
  for (int i = 0; i < PAGES_SETS; i++)
    if (subject->sets[i])
      roaring_bitmap_free(subject->sets[i]);
  free(subject->record_bytes.data);
  memset(subject->sets, 0, sizeof subject->sets);
  subject->record_bytes = (struct buffer){0};
}

static void take_record(struct subject *subject)
{
  forget_record(subject);
  subject->record_bytes.data = read_all(subject->record, &subject->record_bytes.size);
  struct reader reader = {
      .file = subject->record, .bytes = {subject->record_bytes.data, subject->record_bytes.size}, .error = &error};
  if (!CHECK_OK(pages_read(&reader, &subject->pages), &error) ||
      !CHECK_OK(pages_match(&reader, &subject->pages, &subject->head), &error))
    exit(1);
  for (int i = 0; i < PAGES_SETS; i++)
    subject->sets[i] = roaring_bitmap_portable_deserialize((const char *)subject->pages.sets[i].data);
}

static uint64_t count_in(const struct subject *subject, int block, uint64_t offset, uint64_t size)
{
  uint64_t first = (subject->head.blocks[block].file_offset + offset) / FORMAT_PAGE, count = 0;
  for (int i = 0; i < PAGES_SETS; i++)
    count +=
        roaring_bitmap_range_cardinality(subject->sets[i], first, first + (size + FORMAT_PAGE - 1) / FORMAT_PAGE);
  return count;
}

// In code, L, W and H.
static uint64_t touched(const struct subject *subject, const char *name)
{
  const struct bundle_image *image = bundle_image(subject->view, bundle_find_name(subject->view, name));
  uint64_t count = count_in(subject, BLOCK_H, image->heap, image->heap_size);
  for (int block = 0; block < BLOCK_H; block++)
    count += count_in(subject, block, image->offset, image->slot_size);
  return count;
}

static uint32_t page_of(const struct subject *subject, const void *address)
{
  uint64_t offset = (uint64_t)address - subject->head.base;
  int block = BLOCK_COUNT - 1;
  while (bundle_starts[block] > offset)
    block--;
  return (uint32_t)((subject->head.blocks[block].file_offset + offset - bundle_starts[block]) / FORMAT_PAGE);
}

/// What a start calls.
enum { CALL_NOTHING, CALL_TOP };

static bool record(const char *path, int call)
{
  struct pkgimg_runtime *runtime = open_runtime(PKGIMG_RUNTIME_RECORD);
  struct pkgimg_image *image = NULL;
  enum pkgimg_status status = pkgimg_load(runtime, path, &image, &error);
  if (status == PKGIMG_UNSUPPORTED) {
    pkgimg_runtime_close(runtime);
    return false;
  }
  CHECK_OK(status, &error);
  if (call == CALL_TOP)
    CHECK(((int (*)(int))symbol(image, "top_function"))(1) > 0);
  CHECK_OK(pkgimg_record_end(runtime, &error), &error);
  CHECK_STATUS(pkgimg_record_end(runtime, &error), PKGIMG_INVALID_ARGUMENT, &error);
  pkgimg_runtime_close(runtime);
  events_take();
  return true;
}

static void contents(struct subject *subject)
{
  take_record(subject);
  CHECK(subject->pages.head.starts == 1 && !roaring_bitmap_intersect(subject->sets[0], subject->sets[1]));
  CHECK(roaring_bitmap_contains(subject->sets[PAGES_OF_LOAD], 0));
  CHECK(roaring_bitmap_contains(
      subject->sets[PAGES_OF_LOAD],
      (uint32_t)((subject->head.blocks[BLOCK_W].file_offset + subject->head.slots) / FORMAT_PAGE)));
  // leaf, left, right and top have constructors. Nobody asked for the others.
  CHECK(touched(subject, "leaf") && touched(subject, "left") && touched(subject, "right") &&
        touched(subject, "top"));
  CHECK(!touched(subject, "captured-one") && !touched(subject, "nested") && !touched(subject, "tables") &&
        !touched(subject, "bodies"));
}

// A start that touches more is merged.
static void merging(struct subject *subject)
{
  struct pkgimg_runtime *runtime = open_runtime(PKGIMG_RUNTIME_RECORD);
  struct pkgimg_image *top = load(runtime, subject->path), *nested = load(runtime, image_path("tables"));
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  (void)top;
  pkgimg_image_areas(nested, areas);
  const volatile uint8_t *bytes = (const volatile uint8_t *)areas[0].address;
  CHECK(bytes[0] == 0x7f);
  uint32_t page = page_of(subject, (const void *)areas[0].address);
  CHECK(!roaring_bitmap_contains(subject->sets[0], page) && !roaring_bitmap_contains(subject->sets[1], page));
  uint64_t before = touched(subject, "top");
  CHECK_OK(pkgimg_record_end(runtime, &error), &error);
  pkgimg_runtime_close(runtime);
  events_take();
  take_record(subject);
  CHECK(subject->pages.head.starts == 2 && touched(subject, "top") >= before && touched(subject, "tables"));
  CHECK(roaring_bitmap_contains(subject->sets[PAGES_LATER], page));
  CHECK(!touched(subject, "nested") && !touched(subject, "bodies"));
}

// Not a bundle, or not recorded.
static void nothing_to_record(void)
{
  struct pkgimg_runtime *runtime = open_runtime(PKGIMG_RUNTIME_RECORD);
  load(runtime, image_path("leaf"));
  CHECK_STATUS(pkgimg_record_end(runtime, &error), PKGIMG_INVALID_ARGUMENT, &error);
  pkgimg_runtime_close(runtime);
  runtime = open_runtime(0);
  const char *path = bound("plain.bundle", "leaf", NULL, NULL);
  load(runtime, path);
  CHECK_STATUS(pkgimg_record_end(runtime, &error), PKGIMG_INVALID_ARGUMENT, &error);
  pkgimg_runtime_close(runtime);
  events_take();
}

// ---- from the disk

static struct subject *current;

static void drop(const char *path)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0 && fdatasync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
  close(fd);
}

/// Pages of the bundle that are in memory, and how many of the record's are not.
struct residence {
  uint64_t there, missing;
};

static struct residence look(const struct subject *subject)
{
  struct residence found = {0};
  size_t pages = pages_of_bundle(&subject->head);
  int fd = open(subject->path, O_RDONLY | O_CLOEXEC);
  unsigned char *resident = calloc(pages, 1);
  void *mapped = mmap(NULL, pages * FORMAT_PAGE, PROT_READ, MAP_SHARED, fd, 0);
  CHECK(resident && mapped != MAP_FAILED && mincore(mapped, pages * FORMAT_PAGE, resident) == 0);
  for (uint32_t i = 0; i < pages; i++) {
    found.there += resident[i] & 1;
    found.missing += !(resident[i] & 1) && (roaring_bitmap_contains(subject->sets[0], i) ||
                                            roaring_bitmap_contains(subject->sets[1], i));
  }
  munmap(mapped, pages * FORMAT_PAGE);
  free(resident);
  close(fd);
  return found;
}

// Nobody waits for the pages, so this does.
static struct residence look_until_there(const struct subject *subject)
{
  struct residence found = look(subject);
  for (int i = 0; i < 1000 && found.missing; i++) {
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    found = look(subject);
  }
  return found;
}

// What is in memory when a start has done what was recorded.
static struct residence after;

/// A load and what it computes.
static struct pkgimg_stats start(const char *path, enum pkgimg_prefetch prefetch)
{
  struct pkgimg_runtime_options options = {.size = sizeof options, .prefetch = prefetch};
  struct pkgimg_runtime *runtime = NULL;
  CHECK_OK(pkgimg_runtime_open(&options, &runtime, &error), &error);
  struct pkgimg_image *top = load(runtime, path);
  CHECK(((int (*)(int))symbol(top, "top_function"))(1) == 8);
  struct pkgimg_stats stats = stats_of(runtime);
  CHECK(stats.bundles_refused == 0);
  if (current)
    after = look_until_there(current);
  pkgimg_runtime_close(runtime);
  expect_events(
      "construct leaf; construct left; construct right; construct top; atexit top; destruct top; atexit right; "
      "destruct right; atexit left; destruct left; atexit leaf; destruct leaf");
  return stats;
}

static uint64_t set_size(const struct subject *subject)
{
  return (uint64_t)subject->pages.head.counts[0] + subject->pages.head.counts[1];
}

static void replay(enum pkgimg_prefetch prefetch, uint64_t rings)
{
  drop(current->path);
  if (look(current).there) {
    printf("skipped: the file system keeps %lu pages in memory\n", (unsigned long)look(current).there);
    return;
  }
  struct pkgimg_stats stats = start(current->path, prefetch);
  CHECK(stats.prefetch_rings == rings && stats.prefetched == 1 && stats.records_refused == 0);
  CHECK(stats.pages_prefetched >= set_size(current) && stats.pages_prefetched * 10 <= set_size(current) * 13);
  CHECK(after.missing == 0);
  if (!CHECK(after.there * 10 <= set_size(current) * 13))
    fprintf(stderr, "  %lu pages read, the set has %lu\n", (unsigned long)after.there,
            (unsigned long)set_size(current));
}

static void without_ring(uint64_t ignored)
{
  (void)ignored;
  replay(PKGIMG_PREFETCH_RING, 0);
}

static bool has_ring(void)
{
  struct fetch_range none = {0};
  struct map_counts counts = {0};
  struct bundle_header empty = {0};
  struct image_handle handle = {.fd = STDIN_FILENO};
  struct fetch *fetch = fetch_begin(&handle, &empty, &none, 0, &counts);
  fetch_end(fetch);
  return fetch != NULL;
}

static void from_disk(struct subject *subject)
{
  current = subject;
  replay(PKGIMG_PREFETCH_AUTO, 0);
  replay(PKGIMG_PREFETCH_PLAIN, 0);
  replay(PKGIMG_PREFETCH_RING, has_ring());
  in_child(SYS_io_uring_setup, EPERM, without_ring, 0);
  in_child(SYS_io_uring_setup, ENOSYS, without_ring, 0);
  in_child(SYS_io_uring_enter, EPERM, without_ring, 0);
  CHECK(start(subject->path, PKGIMG_PREFETCH_AUTO).pages_prefetched == 0);  // it is warm now
  drop(subject->path);
  CHECK(start(subject->path, PKGIMG_PREFETCH_NONE).pages_prefetched == 0);
  current = NULL;
}

// What a prefetch brings is in memory and may even be mapped by a neighbour's fault; it is not touched.
static void learns_nothing(struct subject *subject)
{
  uint64_t before = set_size(subject);
  for (int i = 0; i < 3; i++)
    CHECK(record(subject->path, CALL_TOP));
  take_record(subject);
  CHECK(set_size(subject) == before && subject->pages.head.starts == 5);
}

// ---- bad records

static void expect_ignored(const struct subject *subject, const void *bytes, size_t size, const char *reason)
{
  write_all(subject->record, bytes, size);
  struct pkgimg_stats stats = start(subject->path, PKGIMG_PREFETCH_PLAIN);
  if (!CHECK(stats.records_refused == 1 && stats.pages_prefetched == 0 && strstr(stats.record_refusal, reason)))
    fprintf(stderr, "  expected: %s\n  found:    %s\n", reason, stats.record_refusal);
}

static void damage(const struct subject *subject)
{
  size_t size;
  uint8_t *bytes = read_all(subject->record, &size);
  for (size_t i = 0; i < size; i++) {
    bytes[i] ^= 1u << i % 8;
    expect_ignored(subject, bytes, size, "one.bundle.pages");
    CHECK(pkgimg_verify(subject->record, &error) != PKGIMG_OK);
    bytes[i] ^= 1u << i % 8;
  }
  expect_ignored(subject, bytes, size - 1, "bytes of the record");
  expect_ignored(subject, bytes, 63, "header of the record");
  expect_ignored(subject, bytes, 0, "header of the record");
  write_all(subject->record, bytes, size);
  CHECK_OK(pkgimg_verify(subject->record, &error), &error);
  free(bytes);
}

// A seal says nothing about what is inside.
static void contradictions(const struct subject *subject)
{
  static const struct {
    size_t offset;
    uint32_t value;
    const char *reason;
  } fields[] = {{offsetof(struct pages_header, starts), 0, "number of starts"},
                {offsetof(struct pages_header, reserved), 1, "reserved"},
                {offsetof(struct pages_header, file_pages), 1, "pages of a set"},
                {offsetof(struct pages_header, counts), 1, "pages of a set"},
                {offsetof(struct pages_header, counts) + 4, 99999, "pages of a set"},
                {offsetof(struct pages_header, sizes), UINT32_MAX, "bytes of the record"},
                {sizeof(struct pages_header), 0xffffffff, "pages of a set"},
                {sizeof(struct pages_header) + 4, 0xffffffff, "pages of a set"},
                {offsetof(struct pages_header, file_pages), 1 << 20, "pages of the bundle"},
                {offsetof(struct pages_header, build_id), 0, "another bundle"}};
  size_t size;
  uint8_t *good = read_all(subject->record, &size);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    uint8_t *bytes = malloc(size);
    struct pages_header head;
    memcpy(bytes, good, size);
    memcpy(bytes + fields[i].offset, &fields[i].value, 4);
    memcpy(&head, bytes, sizeof head);
    head.hash = hash64(bytes + PAGES_HASHED, size - PAGES_HASHED);
    memcpy(bytes, &head, sizeof head);
    expect_ignored(subject, bytes, size, fields[i].reason);
    free(bytes);
  }
  write_all(subject->record, good, size);
  free(good);
}

// After a new bind the record is of another bundle; recording begins anew then.
static void outdated(void)
{
  struct subject subject = {0};
  name(&subject, bound("old.bundle", "leaf top", NULL, NULL));
  CHECK(record(subject.path, CALL_TOP));
  struct pkgimg_bind_options elsewhere = PKGIMG_BIND_OPTIONS_INIT;
  elsewhere.base = 0x200000400000;
  bound("old.bundle", "leaf top", &elsewhere, NULL);
  struct pkgimg_stats stats = start(subject.path, PKGIMG_PREFETCH_PLAIN);
  CHECK(stats.records_refused == 1 && strstr(stats.record_refusal, "another bundle"));
  CHECK(record(subject.path, CALL_TOP));
  take_bundle(&subject);
  take_record(&subject);
  CHECK(subject.pages.head.starts == 1);
  stats = start(subject.path, PKGIMG_PREFETCH_PLAIN);
  CHECK(stats.records_refused == 0 && stats.pages_prefetched > 0);
  forget_record(&subject);
  free(subject.bytes);
}

// ---- bind

static uint64_t offset_of(const struct subject *subject, const char *name)
{
  return bundle_image(subject->view, bundle_find_name(subject->view, name))->offset;
}

static void expect_together(const char *bundle)
{
  static const char *const others[] = {"captured-one", "nested", "bodies"};
  struct subject subject = {0};
  name(&subject, bundle);
  take_bundle(&subject);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    CHECK(offset_of(&subject, "top") < offset_of(&subject, others[i]) &&
          offset_of(&subject, "leaf") < offset_of(&subject, others[i]));
  free(subject.bytes);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *top = load(runtime, subject.path);
  CHECK(pkgimg_image_at(runtime, symbol(top, "top_function")) == top);
  struct pkgimg_image *tables = load(runtime, image_path("tables"));
  CHECK(strcmp(pkgimg_image_path(tables), subject.path) == 0);
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  pkgimg_image_areas(tables, areas);
  CHECK(pkgimg_image_at(runtime, (const void *)areas[0].address) == tables);
  pkgimg_runtime_close(runtime);
  events_take();
}

static void ordering(const struct subject *subject)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  CHECK(offset_of(subject, "top") > offset_of(subject, "nested"));
  options.record = subject->path;
  expect_together(bound("other.bundle", images, &options, NULL));
  CHECK(start(scratch_path("other.bundle"), PKGIMG_PREFETCH_PLAIN).records_refused == 0);
  options.record = scratch_path("other.bundle");  // which has none
  options.output = scratch_path("none.bundle");
  const char *leaf = image_path("leaf");
  options.images = &leaf;
  options.image_count = 1;
  CHECK_STATUS(pkgimg_bind(&options, NULL, &error), PKGIMG_NOT_FOUND, &error);
  CHECK(strstr(error.text, "other.bundle.pages") && access(options.output, F_OK) != 0);
  struct pkgimg_bind_report report;
  bound("one.bundle", images, NULL, NULL);
  expect_together(subject->path);
  bound("one.bundle", images, NULL, &report);  // without a record for this one its order stays
  CHECK(report.unchanged);
}

int main(void)
{
  static struct world before;
  static struct subject subject;
  name(&subject, bound("one.bundle", images, NULL, NULL));
  world_look(&before);
  if (!record(subject.path, CALL_TOP)) {
    printf("skipped: %s\n", error.text);
    return CHECK_SKIPPED;
  }
  take_bundle(&subject);
  contents(&subject);
  merging(&subject);
  learns_nothing(&subject);
  from_disk(&subject);
  nothing_to_record();
  damage(&subject);
  contradictions(&subject);
  outdated();
  ordering(&subject);
  forget_record(&subject);
  free(subject.bytes);
  CHECK(world_leaked(&before) == 0);
  return check_verdict();
}
