// SPDX-License-Identifier: MIT
#include "format/packed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zstd.h>

enum { WINDOW_LOG_MAX = 27 };

struct unpacker {
  ZSTD_DStream *stream;
  struct reader stored;
  uint64_t size, made;
  bool begun, done;
};

struct unpacker *unpacker_create(const struct reader *stored, uint64_t size)
{
  struct unpacker *unpacker = malloc(sizeof *unpacker);
  ZSTD_DStream *stream = ZSTD_createDStream();
  if (!unpacker || !stream) {
    free(unpacker);
    ZSTD_freeDStream(stream);
    return NULL;
  }
  ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
  *unpacker = (struct unpacker){.stream = stream, .stored = *stored, .size = size};
  return unpacker;
}

void unpacker_destroy(struct unpacker *unpacker)
{
  if (unpacker)
    ZSTD_freeDStream(unpacker->stream);
  free(unpacker);
}

static enum pkgimg_status wrong(const struct unpacker *unpacker, const char *what, uint64_t expected,
                                uint64_t found)
{
  const struct reader *stored = &unpacker->stored;
  return fail_at(stored->error, PKGIMG_MALFORMED, stored->file, stored->origin, what, expected, found);
}

// A frame may tell its size, and then it is known before anything is unpacked. What is no frame, the stream says.
static enum pkgimg_status begin(struct unpacker *unpacker, struct span input)
{
  unsigned long long claimed = ZSTD_getFrameContentSize(input.data, input.size);
  unpacker->begun = true;
  if (claimed == ZSTD_CONTENTSIZE_ERROR || claimed == ZSTD_CONTENTSIZE_UNKNOWN || claimed == unpacker->size)
    return PKGIMG_OK;
  return wrong(unpacker, "size that the compressed heap tells of itself", unpacker->size, claimed);
}

enum pkgimg_status unpack(struct unpacker *unpacker, struct span *input, uint8_t *bytes, size_t size, size_t *made)
{
  ZSTD_inBuffer in = {input->data, input->size, 0};
  ZSTD_outBuffer out = {bytes, size, 0};
  const struct reader *stored = &unpacker->stored;
  if (!unpacker->begun && input->size)
    TRY(begin(unpacker, *input));
  while (!unpacker->done && out.pos < out.size) {
    size_t result = ZSTD_decompressStream(unpacker->stream, &out, &in);
    if (ZSTD_isError(result))
      return fail(stored->error, PKGIMG_MALFORMED, stored->file,
                  "at offset 0x%" PRIx64 ": compressed heap: behind %" PRIu64 " of %" PRIu64 " bytes: %s",
                  stored->origin, unpacker->made + out.pos, unpacker->size, ZSTD_getErrorName(result));
    unpacker->done = result == 0;
    if (in.pos == in.size && out.pos < out.size)
      break;
  }
  *made = out.pos;
  unpacker->made += out.pos;
  if (in.pos > 0)
    *input = (struct span){input->data + in.pos, input->size - in.pos};
  return PKGIMG_OK;
}

bool unpacker_is_done(const struct unpacker *unpacker)
{
  return unpacker->done || unpacker->made > unpacker->size;
}

enum pkgimg_status unpacker_finish(const struct unpacker *unpacker, uint64_t left)
{
  if (unpacker->made > unpacker->size)
    return wrong(unpacker, "bytes that the compressed heap unpacks to, at least", unpacker->size, unpacker->made);
  if (unpacker->made < unpacker->size)
    return wrong(unpacker, "bytes that the compressed heap unpacks to", unpacker->size, unpacker->made);
  if (!unpacker->done)
    return wrong(unpacker, "ends of the compressed heap", 1, 0);
  return left ? wrong(unpacker, "bytes behind the compressed heap", 0, left) : PKGIMG_OK;
}

static enum pkgimg_status unpack_all(struct unpacker *unpacker, struct span input, uint8_t *bytes, uint64_t size)
{
  uint8_t beyond;
  size_t made;
  TRY(unpack(unpacker, &input, bytes, size, &made));
  TRY(unpack(unpacker, &input, &beyond, 1, &made));
  return unpacker_finish(unpacker, input.size);
}

enum pkgimg_status unpack_whole(const struct reader *stored, uint8_t *bytes, uint64_t size,
                                struct pkgimg_error *error)
{
  struct reader reader = *stored;
  reader.error = error;
  struct unpacker *unpacker = unpacker_create(&reader, size);
  if (!unpacker)
    return fail_memory(error, size);
  enum pkgimg_status status = unpack_all(unpacker, stored->bytes, bytes, size);
  unpacker_destroy(unpacker);
  return status;
}
