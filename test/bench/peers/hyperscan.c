/* Scans files with Hyperscan in streaming mode, for comparison.
 *   hyperscan PATTERNS FILE...   PATTERNS: one expression a line; prints "FILE MB/s" for each file. */
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int hits = 0;
static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context) {
  (void)id, (void)from, (void)to, (void)flags, (void)context;
  hits++;
  return 0;
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int main(int count, char **words) {
  if (count < 3) return 2;
  static char *patterns[2000];
  static unsigned flags[2000], ids[2000];
  unsigned known = 0, left_out = 0;
  char line[20000];
  FILE *list = fopen(words[1], "r");
  if (list == NULL) return 2;
  while (fgets(line, sizeof line, list) != NULL) {
    line[strcspn(line, "\n")] = 0;
    hs_database_t *one = NULL;
    hs_compile_error_t *error = NULL;
    if (hs_compile(line, HS_FLAG_ALLOWEMPTY, HS_MODE_STREAM, NULL, &one, &error) != HS_SUCCESS) {
      hs_free_compile_error(error);
      left_out++;
      continue;
    }
    hs_free_database(one);
    patterns[known] = strdup(line);
    flags[known] = HS_FLAG_ALLOWEMPTY;
    ids[known] = known;
    known++;
  }
  fclose(list);
  hs_database_t *all = NULL;
  hs_compile_error_t *error = NULL;
  if (hs_compile_multi((const char *const *)patterns, flags, ids, known, HS_MODE_STREAM, NULL, &all, &error) != HS_SUCCESS) {
    fprintf(stderr, "%s\n", error->message);
    return 1;
  }
  hs_scratch_t *scratch = NULL;
  hs_alloc_scratch(all, &scratch);
  printf("# %u patterns, %u left out\n", known, left_out);
  for (int i = 2; i < count; i++) {
    FILE *file = fopen(words[i], "rb");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)size);
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size) return 2;
    fclose(file);
    double began = now(), end;
    long rounds = 0;
    do {
      hs_stream_t *stream = NULL;
      hs_open_stream(all, 0, &stream);
      hs_scan_stream(stream, bytes, (unsigned)size, 0, scratch, on_match, NULL);
      hs_close_stream(stream, scratch, on_match, NULL);
      rounds++;
      end = now();
    } while (end - began < 1.0);
    printf("%s %.1f\n", words[i], (double)size * (double)rounds / 1e6 / (end - began));
    free(bytes);
  }
  return 0;
}
