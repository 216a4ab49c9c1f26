/*
 * Runs a .tflite file with TensorFlow Lite's C library, one thread, as often as it is told:
 *
 *   tflite-c LIBRARY MODEL PICTURE
 *
 * PICTURE holds the input's bytes. For each line with a number N on stdin it runs N times and prints
 * the processor time of one, in microseconds. Declarations as in tensorflow/lite/c/c_api.h (2.9).
 */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef void *(*from_pointer)(const void *);
typedef void *(*from_path)(const char *);
typedef void *(*create_interpreter)(const void *, const void *);
typedef void (*set_threads)(void *, int);
typedef int (*status_of)(void *);
typedef void *(*tensor_at)(void *, int);
typedef size_t (*size_of)(const void *);
typedef int (*copy_in)(void *, const void *, size_t);

static void *library;

static void *symbol(const char *name) {
  void *found = dlsym(library, name);
  if (found == NULL) {
    fprintf(stderr, "no %s\n", name);
    exit(1);
  }
  return found;
}

static void require(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

int main(int count, char **arguments) {
  require(count == 4, "usage: tflite-c LIBRARY MODEL PICTURE");
  library = dlopen(arguments[1], RTLD_NOW);
  require(library != NULL, "the library does not load");
  void *model = ((from_path)symbol("TfLiteModelCreateFromFile"))(arguments[2]);
  require(model != NULL, "the model does not load");
  void *options = ((from_pointer)symbol("TfLiteInterpreterOptionsCreate"))(NULL);
  ((set_threads)symbol("TfLiteInterpreterOptionsSetNumThreads"))(options, 1);
  void *interpreter = ((create_interpreter)symbol("TfLiteInterpreterCreate"))(model, options);
  require(interpreter != NULL, "no interpreter");
  require(((status_of)symbol("TfLiteInterpreterAllocateTensors"))(interpreter) == 0, "no tensors");
  void *input = ((tensor_at)symbol("TfLiteInterpreterGetInputTensor"))(interpreter, 0);
  size_t size = ((size_of)symbol("TfLiteTensorByteSize"))(input);
  unsigned char *picture = malloc(size);
  FILE *file = fopen(arguments[3], "rb");
  require(file != NULL && fread(picture, 1, size, file) == size, "the picture does not fit");
  status_of invoke = (status_of)symbol("TfLiteInterpreterInvoke");
  copy_in copy = (copy_in)symbol("TfLiteTensorCopyFromBuffer");
  int runs;
  while (scanf("%d", &runs) == 1 && runs > 0) {
    double started = now();
    for (int run = 0; run < runs; run++) {
      copy(input, picture, size);
      require(invoke(interpreter) == 0, "a run failed");
    }
    printf("%.3f\n", (now() - started) / runs);
    fflush(stdout);
  }
  return 0;
}
