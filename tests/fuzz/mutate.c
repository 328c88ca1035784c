// SPDX-License-Identifier: MIT
//
// A mutator for images: most bytes of one are padding and code, so aim at the note, the tables and the
// closure, and ask for seals more often than not.
#include "tests/fuzz/fuzz.h"
#include "tests/should_fail/forge.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

struct window {
  size_t offset, size;
};

static struct window choose(const uint8_t *image, size_t size, unsigned random)
{
  struct forgery forgery;
  struct window window = {0, size};
  if (!forgery_init(&forgery, image, size))
    return window;
  const struct disk_header *header = forgery_header(&forgery);
  size_t tables = header ? header->geometry.tables_offset : 0, closure = header ? header->closure_offset : 0;
  const struct disk_tables *head = forgery_tables(&forgery);
  const struct window heap = {head ? head->heap.file_offset : 0, head ? head->heap.stored_size : 0};
  const struct window windows[] = {heap,
                                   {forgery.note, sizeof(struct disk_note)},
                                   {tables, sizeof(struct disk_tables)},
                                   {tables + sizeof(struct disk_tables), 512},
                                   {tables, closure > tables ? closure - tables : 0},
                                   {closure, sizeof(struct disk_closure) + sizeof(struct disk_closure_entry)},
                                   {0, forgery.note + 1024}};
  window = windows[random % (sizeof windows / sizeof *windows)];
  forgery_deinit(&forgery);
  return window;
}

// The bytes of the window change, their number does not.
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
  struct fuzz_input input = fuzz_input(data, size);
  if (size < 64 || seed % 8 == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  bool second = input.dependency && seed / 8 % 2;
  const uint8_t *image = second ? input.dependency : input.image;
  size_t image_size = second ? input.dependency_size : input.image_size;
  struct window window = choose(image, image_size, seed / 16);
  if (window.offset >= image_size)
    return LLVMFuzzerMutate(data, size, max_size);
  size_t left = image_size - window.offset;
  size_t length = window.size < left ? window.size : left;
  if (length > 0)
    LLVMFuzzerMutate(data + (image - data) + window.offset, length, length);
  if (seed / 256 % 4)
    data[size - 1] |= FUZZ_SEAL;
  return size;
}
