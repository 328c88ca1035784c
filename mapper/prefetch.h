// SPDX-License-Identifier: MIT
//
// Bringing files into the page cache before they are mapped, all at once instead of fault by
// fault. It can only save time: whatever fails here is left to the load that follows.
#ifndef MAPPER_PREFETCH_H
#define MAPPER_PREFETCH_H

#include "mapper/mapper.h"

/// A file that will be loaded.
struct prefetch_file {
  int at;            ///< folder, or AT_FDCWD
  const char *name;  ///< in that folder
  uint64_t size;     ///< bytes from the start of the file
  int fd;            ///< -1, or open; a prefetch that opens it leaves it open for the load
};

/// Whether a good part of an open file is not in memory: cachestat(2), else mincore(2).
bool prefetch_is_cold(int fd, uint64_t size, struct map_counts *counts);

/// Ask the kernel to read each file ahead, one by one. Returns how many files it was asked for.
size_t prefetch_plain(struct prefetch_file *files, size_t count, struct map_counts *counts);

/// Open and read all files in one batch each through io_uring. Returns how many files were read; 0
/// when the kernel has no ring for us (ENOSYS, EPERM, ENOMEM).
size_t prefetch_ring(struct prefetch_file *files, size_t count, struct map_counts *counts);

#endif
