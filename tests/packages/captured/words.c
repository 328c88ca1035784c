// SPDX-License-Identifier: MIT
//
// An index of the words in a dictionary: a trie by prefix, and a hash of the words that are anagrams of each
// other. Requests are the beginning of a word, or letters behind a question mark.
#include "answers.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef DICTIONARY
#define DICTIONARY "/usr/share/dict/words"
#endif

enum { BUCKETS = 1 << 16, LONGEST = 64, SHOWN = 8 };

/// A word, in the list of those that begin with the same letters so far, and of those with the same letters.
struct word {
  struct word *next_anagram;
  uint64_t letters;  // how its letters, sorted, hash
  char text[];
};

struct node {
  struct node *children;  // one array, ascending by letter
  struct word *word;      // that ends here
  uint32_t count;         // of words below and here
  uint16_t child_count;
  uint8_t letter;
};

static struct node *root;
static struct word *buckets[BUCKETS];

static void *grown(void *memory, size_t size)
{
  void *result = realloc(memory, size);
  if (!result)
    err(1, "an index of words");
  return result;
}

static struct node *find_child(const struct node *node, uint8_t letter)
{
  for (size_t i = 0; i < node->child_count; i++)
    if (node->children[i].letter == letter)
      return &node->children[i];
  return NULL;
}

static struct node *add_child(struct node *node, uint8_t letter)
{
  size_t at = 0;
  node->children = grown(node->children, (node->child_count + 1u) * sizeof *node->children);
  while (at < node->child_count && node->children[at].letter < letter)
    at++;
  memmove(&node->children[at + 1], &node->children[at], (node->child_count - at) * sizeof *node->children);
  node->children[at] = (struct node){.letter = letter};
  node->child_count++;
  return &node->children[at];
}

static int by_letter(const void *left, const void *right)
{
  return *(const uint8_t *)left - *(const uint8_t *)right;
}

static uint64_t letters_of(const char *text)
{
  char sorted[LONGEST];
  size_t length = strnlen(text, LONGEST);
  memcpy(sorted, text, length);
  qsort(sorted, length, 1, by_letter);
  return digest(DIGEST_START, sorted, length);
}

static void add_word(const char *text)
{
  size_t length = strlen(text);
  struct word *word = grown(NULL, sizeof *word + length + 1);
  struct node *node = root;
  memcpy(word->text, text, length + 1);
  word->letters = letters_of(text);
  word->next_anagram = buckets[word->letters % BUCKETS];
  buckets[word->letters % BUCKETS] = word;
  for (root->count++; *text; text++, node->count++) {
    struct node *child = find_child(node, (uint8_t)*text);
    node = child ? child : add_child(node, (uint8_t)*text);
  }
  node->word = word;
}

void warm(void)
{
  char line[LONGEST];
  if (root)
    return;
  FILE *file = fopen(DICTIONARY, "r");
  if (!file)
    err(1, "%s", DICTIONARY);
  root = grown(NULL, sizeof *root);
  *root = (struct node){0};
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = 0;
    if (*line)
      add_word(line);
  }
  fclose(file);
}

bool is_warm(void)
{
  return root != NULL;
}

static const struct node *find(const char *prefix)
{
  const struct node *node = root;
  while (node && *prefix)
    node = find_child(node, (uint8_t)*prefix++);
  return node;
}

// In the order of the alphabet, until `left` are shown.
static void show(const struct node *node, unsigned *left)
{
  if (node->word && *left) {
    printf("  %s", node->word->text);
    --*left;
  }
  for (size_t i = 0; i < node->child_count && *left; i++)
    show(&node->children[i], left);
}

static void answer_anagrams(const char *letters)
{
  uint64_t wanted = letters_of(letters);
  for (const struct word *word = buckets[wanted % BUCKETS]; word; word = word->next_anagram)
    if (word->letters == wanted)
      printf("  %s", word->text);
  putchar('\n');
}

void answer(const char *request)
{
  unsigned left = SHOWN;
  if (*request == '?') {
    answer_anagrams(request + 1);
    return;
  }
  const struct node *node = find(request);
  printf("  %u:", node ? node->count : 0);
  if (node)
    show(node, &left);
  putchar('\n');
}

uint64_t answer_quietly(void)
{
  const struct node *node = find("pack");
  uint64_t sum = node ? node->count : 0, letters = letters_of("listen");
  for (const struct word *word = buckets[letters % BUCKETS]; word; word = word->next_anagram)
    sum = word->letters == letters ? digest(sum, word->text, strlen(word->text)) : sum;
  return sum;
}

static void free_below(struct node *node)
{
  for (size_t i = 0; i < node->child_count; i++)
    free_below(&node->children[i]);
  free(node->children);
  free(node->word);
}

void finish(void)
{
  free_below(root);
  free(root);
  root = NULL;
  memset(buckets, 0, sizeof buckets);
}
