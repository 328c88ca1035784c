// SPDX-License-Identifier: MIT
//
// A file of its own, so that what only loads does not have Zstandard's compressors linked in.
#include "format/packed.h"

#include <zstd.h>

enum { LEVEL = 9 };

static enum pkgimg_status compress_into(ZSTD_CCtx *context, const char *file, struct span bytes,
                                        struct buffer *packed, struct pkgimg_error *error)
{
  size_t bound = ZSTD_compressBound(bytes.size), before = packed->size;
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  TRY(buffer_append(packed, NULL, bound, error));
  size_t size = ZSTD_compress2(context, packed->data + before, bound, bytes.data, bytes.size);
  if (ZSTD_isError(size))
    return fail(error, PKGIMG_NO_MEMORY, file, "compressing %zu bytes: %s", bytes.size, ZSTD_getErrorName(size));
  packed->size = before + size;
  return PKGIMG_OK;
}

enum pkgimg_status pack(const char *file, struct span bytes, struct buffer *packed, struct pkgimg_error *error)
{
  ZSTD_CCtx *context = ZSTD_createCCtx();
  if (!context)
    return fail_memory(error, bytes.size);
  enum pkgimg_status status = compress_into(context, file, bytes, packed, error);
  ZSTD_freeCCtx(context);
  return status;
}
