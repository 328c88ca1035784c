// SPDX-License-Identifier: MIT
#include "format/packed.h"

#include <stdlib.h>
#include <zstd.h>

enum { WINDOW_LOG_MAX = 27 };

struct unpacker {
  ZSTD_DStream *stream;
  bool done;
};

struct unpacker *unpacker_create(void)
{
  struct unpacker *unpacker = calloc(1, sizeof *unpacker);
  ZSTD_DStream *stream = ZSTD_createDStream();
  if (!unpacker || !stream) {
    free(unpacker);
    ZSTD_freeDStream(stream);
    return NULL;
  }
  ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
  unpacker->stream = stream;
  return unpacker;
}

void unpacker_destroy(struct unpacker *unpacker)
{
  if (unpacker)
    ZSTD_freeDStream(unpacker->stream);
  free(unpacker);
}

enum pkgimg_status unpack(struct unpacker *unpacker, const struct reader *input_file, struct span *input,
                          uint8_t *bytes, size_t size, size_t *made)
{
  ZSTD_inBuffer in = {input->data, input->size, 0};
  ZSTD_outBuffer out = {bytes, size, 0};
  while (!unpacker->done && out.pos < out.size) {
    size_t result = ZSTD_decompressStream(unpacker->stream, &out, &in);
    if (ZSTD_isError(result))
      return fail(input_file->error, PKGIMG_MALFORMED, input_file->file, "compressed heap: %s",
                  ZSTD_getErrorName(result));
    unpacker->done = result == 0;
    if (in.pos == in.size && out.pos < out.size)
      break;
  }
  *made = out.pos;
  *input = (struct span){input->data + in.pos, input->size - in.pos};
  return PKGIMG_OK;
}

bool unpacker_is_done(const struct unpacker *unpacker)
{
  return unpacker->done;
}

enum pkgimg_status unpack_whole(const struct reader *stored, uint8_t *bytes, uint64_t size,
                                struct pkgimg_error *error)
{
  struct span input = stored->bytes;
  struct reader reader = *stored;
  size_t made = 0;
  reader.error = error;
  struct unpacker *unpacker = unpacker_create();
  if (!unpacker)
    return fail_memory(error, size);
  enum pkgimg_status status = unpack(unpacker, &reader, &input, bytes, size, &made);
  unpacker_destroy(unpacker);
  if (status == PKGIMG_OK && made != size)
    status = fail_at(error, PKGIMG_MALFORMED, stored->file, stored->origin, "bytes that the compressed heap unpacks to",
                     size, made);
  return status;
}
