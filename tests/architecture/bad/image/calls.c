/* strcpy(a, b) in a comment,
   also over lines: system("x") */
static const char text[] = "a \" quote, then strcat(a, b)"; // and gets(x)
static const char quote = '"';
int run(struct ops *ops, char *a, const char *b) {
  ops->system(b);
  ops.alloca(3);
  my_strcpy(a, b);
  strcpy (a, b);
  return atoi(b) + system(b), dlopen(b, 0) ? 1 : mprotect(a, 1, 0), __builtin_alloca(9);
}
// TODO: this note, but not XXXXXX or todo
