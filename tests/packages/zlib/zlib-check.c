// SPDX-License-Identifier: MIT
//
// Compresses and restores 20 MB at several levels and 2 MB in every other way zlib has, and prints
// sizes and checksums; leaves one compressed file. Two zlibs of the same version must agree in
// every byte.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#ifndef BLOCKS
#define BLOCKS 5000
#endif
enum { BLOCK = 4096, TOTAL = BLOCK * BLOCKS, PART = TOTAL / 10, PIECE = 12345 };

static uint64_t next_random(uint64_t *state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

static void fill_words(unsigned char *block, uint64_t *state) {
  static const char *const words[] = {"package ", "image ",   "the ",   "relocation ",
                                      "of ",      "symbol, ", "heap\n", "a "};
  size_t used = 0;
  while (used < BLOCK) {
    const char *word = words[next_random(state) % 8];
    size_t length = strlen(word);
    if (length > BLOCK - used)
      length = BLOCK - used;
    memcpy(block + used, word, length);
    used += length;
  }
}

static void fill_noise(unsigned char *block, uint64_t *state) {
  for (size_t i = 0; i < BLOCK; i++)
    block[i] = (unsigned char)(next_random(state) >> 32);
}

static void fill_runs(unsigned char *block, uint64_t *state) {
  for (size_t i = 0; i < BLOCK;) {
    size_t length = next_random(state) % 300 + 1;
    unsigned char value = (unsigned char)(next_random(state) % 5);
    for (; length && i < BLOCK; length--)
      block[i++] = value;
  }
}

static void fill_records(unsigned char *block, uint64_t *state) {
  for (size_t i = 0; i + 16 <= BLOCK; i += 16) {
    uint64_t record[2] = {i, next_random(state) & 0xffff};
    memcpy(block + i, record, sizeof record);
  }
}

static unsigned char *make_data(void) {
  static void (*const fill[])(unsigned char *, uint64_t *) = {fill_words, fill_noise, fill_runs, fill_records};
  unsigned char *data = malloc(TOTAL);
  uint64_t state = 88172645463325252u;
  if (!data)
    abort();
  for (size_t i = 0; i < BLOCKS; i++) {
    // Now and then an old block again: matches that are far away.
    size_t kind = next_random(&state) % 5;
    if (kind == 4 && i > 8)
      memcpy(data + i * BLOCK, data + (i - 1 - next_random(&state) % 7) * BLOCK, BLOCK);
    else
      fill[kind % 4](data + i * BLOCK, &state);
  }
  return data;
}

static void require(int good, const char *what) {
  if (good)
    return;
  printf("FAILED: %s\n", what);
  exit(1);
}

struct method {
  const char *name;
  unsigned total;
  int level, window, memory, strategy;
};

static size_t squeeze(const struct method *m, const unsigned char *data, unsigned char *out, size_t room) {
  z_stream s = {0};
  require(deflateInit2(&s, m->level, Z_DEFLATED, m->window, m->memory, m->strategy) == Z_OK, "deflateInit2");
  s.next_out = out;
  s.avail_out = (uInt)room;
  for (size_t at = 0; at < m->total; at += PIECE * 40u) {
    size_t left = m->total - at;
    s.next_in = (Bytef *)(uintptr_t)(data + at);
    s.avail_in = (uInt)(left < PIECE * 40u ? left : PIECE * 40u);
    int flush = left <= PIECE * 40u ? Z_FINISH : at % 3 ? Z_NO_FLUSH : Z_SYNC_FLUSH;
    int result = deflate(&s, flush);
    require(result == (flush == Z_FINISH ? Z_STREAM_END : Z_OK), "deflate");
  }
  size_t size = s.total_out;
  require(deflateEnd(&s) == Z_OK, "deflateEnd");
  return size;
}

static void restore(const struct method *m, const unsigned char *packed, size_t size, const unsigned char *data,
                    unsigned char *out) {
  z_stream s = {0};
  int result = Z_OK;
  require(inflateInit2(&s, m->window) == Z_OK, "inflateInit2");
  s.next_out = out;
  s.avail_out = m->total;
  for (size_t at = 0; at < size && result == Z_OK; at += PIECE) {
    s.next_in = (Bytef *)(uintptr_t)(packed + at);
    s.avail_in = (uInt)(size - at < PIECE ? size - at : PIECE);
    result = inflate(&s, Z_NO_FLUSH);
  }
  require(result == Z_STREAM_END && s.total_out == m->total, "inflate");
  require(inflateEnd(&s) == Z_OK, "inflateEnd");
  require(memcmp(out, data, m->total) == 0, "the restored bytes");
}

static void check_methods(const unsigned char *data, unsigned char *packed, size_t room, unsigned char *out) {
  static const struct method methods[] = {
      {"stored", PART, 0, 15, 8, Z_DEFAULT_STRATEGY},
      {"level 1", TOTAL, 1, 15, 8, Z_DEFAULT_STRATEGY},
      {"level 6 raw", TOTAL, 6, -15, 8, Z_DEFAULT_STRATEGY},
      {"level 9 gzip", PART, 9, 31, 9, Z_DEFAULT_STRATEGY},
      {"window 9", PART, 5, 9, 1, Z_DEFAULT_STRATEGY},
      {"filtered", PART, 4, 12, 8, Z_FILTERED},
      {"huffman", PART, 6, 15, 8, Z_HUFFMAN_ONLY},
      {"runs", PART, 6, 15, 8, Z_RLE},
      {"fixed", PART, 3, 15, 8, Z_FIXED},
      {"level 3", TOTAL, 3, 15, 8, Z_DEFAULT_STRATEGY},
  };
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    size_t size = squeeze(&methods[i], data, packed, room);
    restore(&methods[i], packed, size, data, out);
    printf("%-13s %8zu crc %08lx adler %08lx\n", methods[i].name, size, crc32(0, packed, (uInt)size),
           adler32(1, packed, (uInt)size));
  }
}

static void check_dictionary(const unsigned char *data) {
  unsigned char packed[2 * BLOCK], out[BLOCK];
  z_stream s = {0};
  require(deflateInit(&s, 6) == Z_OK && deflateSetDictionary(&s, data, 20000) == Z_OK, "deflateSetDictionary");
  s.next_in = (Bytef *)(uintptr_t)(data + 16384);
  s.avail_in = BLOCK;
  s.next_out = packed;
  s.avail_out = sizeof packed;
  require(deflate(&s, Z_FINISH) == Z_STREAM_END, "deflate with a dictionary");
  size_t size = s.total_out;
  deflateEnd(&s);
  s = (z_stream){.next_in = packed, .avail_in = (uInt)size, .next_out = out, .avail_out = sizeof out};
  require(inflateInit(&s) == Z_OK && inflate(&s, Z_FINISH) == Z_NEED_DICT, "Z_NEED_DICT");
  printf("dictionary    %8zu id %08lx\n", size, s.adler);
  require(inflateSetDictionary(&s, data, 20000) == Z_OK && inflate(&s, Z_FINISH) == Z_STREAM_END,
          "inflate with it");
  require(memcmp(out, data + 16384, BLOCK) == 0, "the bytes restored with it");
  inflateEnd(&s);
}

// The whole way through files: buffers, seeks, formatted output, reads by line.
static void check_files(const unsigned char *data) {
  static const char path[] = "check.gz";
  char line[64];
  gzFile file = gzopen(path, "wb7");
  require(file != NULL, "gzopen to write");
  require(gzprintf(file, "%s %d\n", "line", 42) == 8, "gzprintf");
  require(gzwrite(file, data, 3000000) == 3000000, "gzwrite");
  require(gzseek(file, 100, SEEK_CUR) == 3000108, "gzseek while writing");
  require(gzputs(file, "the end\n") == 8 && gzclose(file) == Z_OK, "gzclose");
  file = gzopen(path, "rb");
  require(file && gzgets(file, line, sizeof line) && strcmp(line, "line 42\n") == 0, "gzgets");
  require(gzseek(file, 3000108, SEEK_SET) == 3000108 && gzgets(file, line, sizeof line), "gzseek");
  printf("file          %s", line);
  require(gzgetc(file) == -1 && gzeof(file) && gzclose(file) == Z_OK, "the end of the file");
}

static void check_broken(unsigned char *packed, size_t room, const unsigned char *data, unsigned char *out) {
  uLongf size = (uLongf)room, length = TOTAL;
  require(compress2(packed, &size, data, 100000, 6) == Z_OK, "compress2");
  packed[size / 2] ^= 0x55;
  int result = uncompress(out, &length, packed, size);
  printf("broken        %s\n", zError(result));
  require(gzopen("no/such/folder", "rb") == NULL, "gzopen of nothing");
  z_stream s = {0};
  require(inflateInit(&s) == Z_OK, "inflateInit");
  s.next_in = (Bytef *)(uintptr_t) "not zlib";
  s.avail_in = 8;
  s.next_out = out;
  s.avail_out = BLOCK;
  result = inflate(&s, Z_NO_FLUSH);
  printf("not zlib      %d %s\n", result, s.msg);
  inflateEnd(&s);
}

int main(void) {
  unsigned char *data = make_data(), *out = malloc(TOTAL);
  size_t room = compressBound(TOTAL) + TOTAL / 100;
  unsigned char *packed = malloc(room);
  require(packed && out, "memory");
  printf("zlib %s, bound %lu, flags %lx\n", zlibVersion(), compressBound(TOTAL), zlibCompileFlags() & 0xff);
  unsigned long left = crc32(0, data, TOTAL / 2), right = crc32(0, data + TOTAL / 2, TOTAL / 2);
  printf("data          %8d crc %08lx\n", TOTAL, crc32_combine(left, right, TOTAL / 2));
  check_methods(data, packed, room, out);
  check_dictionary(data);
  check_files(data);
  check_broken(packed, room, data, out);
  free(packed);
  free(out);
  free(data);
  return 0;
}
