// SPDX-License-Identifier: MIT
#include "mapper/blocks.h"

#include "mapper/mapping.h"

#include <errno.h>
#include <sys/mman.h>

static const int protections[BLOCK_COUNT] = {[BLOCK_CODE] = PROT_READ | PROT_EXEC,
                                             [BLOCK_L] = PROT_READ,
                                             [BLOCK_W] = PROT_READ | PROT_WRITE,
                                             [BLOCK_H] = PROT_READ | PROT_WRITE};

static void unmap_first(const struct bundle_header *head, unsigned count)
{
  for (unsigned i = 0; i < count; i++)
    if (head->blocks[i].size)
      munmap(block_at(head, i), head->blocks[i].size);
}

// An address space that ends below the bundle (39 bits are common elsewhere), or a limit on its size, leaves as little
// room for it as another mapping. EPERM: a file system mounted noexec, where the images may lie elsewhere; or
// ThreadSanitizer, which asks for address 0 instead of one that it does not know.
static enum pkgimg_status fail_place(const char *file, void *mapped, struct pkgimg_error *error)
{
  if (mapped != MAP_FAILED)
    return fail(error, PKGIMG_BUSY, file, "the kernel chose another address");
  if (errno == ENOMEM)
    return fail(error, PKGIMG_BUSY, file, "the address space has no room where the bundle should go");
  if (errno == EPERM)
    return fail(error, PKGIMG_BUSY, file, "may not be mapped where it should go");
  return fail_mapping(file, error);
}

enum pkgimg_status blocks_map(const struct image_handle *handle, const struct bundle_header *head,
                              struct map_counts *counts, struct pkgimg_error *error)
{
  for (unsigned i = 0; i < bundle_block_count(head); i++) {
    const struct bundle_block_at *block = &head->blocks[i];
    if (block->size == 0)
      continue;
    counts->system_calls++;
    counts->mappings++;
    void *mapped = mmap(block_at(head, i), block->size, protections[i % BLOCK_COUNT],
                        MAP_PRIVATE | MAP_FIXED_NOREPLACE, handle->fd, (off_t)block->file_offset);
    if (mapped == block_at(head, i))
      continue;
    enum pkgimg_status status = fail_place(handle->path, mapped, error);
    if (mapped != MAP_FAILED)
      munmap(mapped, block->size);
    unmap_first(head, i);
    return status;
  }
  return PKGIMG_OK;
}

void blocks_unmap(const struct bundle_header *head)
{
  unmap_first(head, bundle_block_count(head));
}

void blocks_advise(const struct bundle_header *head, int advice, struct map_counts *counts)
{
  for (unsigned i = 0; i < bundle_block_count(head); i++)
    if (head->blocks[i].size) {
      counts->system_calls++;
      madvise(block_at(head, i), head->blocks[i].size, advice);
    }
}

const void *blocks_map_tables(const struct image_handle *handle, const struct bundle_header *head,
                              struct map_counts *counts)
{
  counts->system_calls++;
  counts->mappings++;
  const void *mapped = mmap(NULL, head->blocks[BLOCK_CODE].size, PROT_READ, MAP_PRIVATE, handle->fd, 0);
  return mapped == MAP_FAILED ? NULL : mapped;
}

void blocks_unmap_tables(const struct bundle_header *head, const void *tables)
{
  munmap((void *)(uintptr_t)tables, head->blocks[BLOCK_CODE].size);
}

enum pkgimg_status blocks_unseal(uint64_t address, uint64_t size, bool writable, struct map_counts *counts,
                                 struct pkgimg_error *error)
{
  uint64_t start = address & ~(FORMAT_PAGE - 1ull), end = (address + size + FORMAT_PAGE - 1) & ~(FORMAT_PAGE - 1ull);
  counts->system_calls++;
  if (mprotect((void *)start, end - start, writable ? PROT_READ | PROT_WRITE : PROT_READ) < 0)
    return fail_system(error, NULL, "mprotect");
  return PKGIMG_OK;
}
