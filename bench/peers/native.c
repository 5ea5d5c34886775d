/*
 * What a C programmer gets out of this machine for the same kernels: single-threaded, the compiler's best vectors, FFTW.
 *
 *     gcc -O3 -march=native -ffast-math -o native native.c -lfftw3f -lm && ./native RUNS
 *
 * Prints JSON: for each piece of work the times in ms of so many runs.
 */
#define _POSIX_C_SOURCE 200809L
#include <fftw3.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LEAST_MS 2.0

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
}

static void *room(size_t bytes) {
  void *at = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (at == NULL) exit(1);
  memset(at, 0, bytes);
  return at;
}

static int runs = 9;
static const char *between = "{";

/* Times of some work, which is repeated within a run where it is short. */
static void timed(const char *name, int side, void (*work)(int)) {
  for (double from = now_ms(); now_ms() - from < 40;) work(side);
  double from = now_ms();
  work(side);
  int repeats = 1 + (int)(LEAST_MS / fmax(1e-3, now_ms() - from));
  printf("%s\n  \"%s %d\": [", between, name, side);
  for (int run = 0; run < runs; run++) {
    from = now_ms();
    for (int repeat = 0; repeat < repeats; repeat++) work(side);
    printf("%s%.6f", run == 0 ? "" : ", ", (now_ms() - from) / repeats);
  }
  printf("]");
  between = ",";
}

static uint16_t *now_u16, *before_u16;
static float *image, *out;
static double *x, *mu, *mobility, *next, *start, *last, *rate, *open_below, *below, *flux, *nodes, *kept, *blurred;
static fftwf_complex *spectrum;
static fftwf_plan plan;

static void transform(int side) {
  (void)side;
  fftwf_execute(plan);
}

static void light(int side) {
  int n = side * side;
  for (int at = 0; at < n; at++) out[at] = (float)now_u16[at] - 100.0f;
}

static void differential(int side) {
  int n = side * side;
  for (int at = 0; at < n; at++) {
    float before = (float)before_u16[at] - 100.0f;
    out[at] = ((float)now_u16[at] - 100.0f - before) / before;
  }
}

/* Cubic B-spline: prefilter with mirror boundaries and values moved by a fraction of a pixel. */
#define LINES 16
#define HORIZON 28
static const float pole = -0.26794919243112270647f;

static void filter_lines(float *lines, int n) {
  float sum[LINES] = {0};
  for (int k = HORIZON; k > 0; k--)
    for (int l = 0; l < LINES; l++) sum[l] = pole * (sum[l] + lines[k * LINES + l]);
  for (int l = 0; l < LINES; l++) lines[l] += sum[l];
  for (int at = LINES; at < n * LINES; at += LINES)
    for (int l = 0; l < LINES; l++) lines[at + l] += pole * lines[at - LINES + l];
  float factor = 6 * pole / (pole * pole - 1);
  float *end = lines + (n - 1) * LINES;
  for (int l = 0; l < LINES; l++) end[l] = factor * (end[l] + pole * end[l - LINES]);
  for (int at = (n - 2) * LINES; at >= 0; at -= LINES)
    for (int l = 0; l < LINES; l++) lines[at + l] = pole * (lines[at + LINES + l] - 6 * lines[at + l]);
}

static void spline(int side) {
  static float lines[LINES * 1024];
  float *c = out;
  for (int y = 0; y < side; y += LINES) {
    for (int l = 0; l < LINES; l++)
      for (int u = 0; u < side; u++) lines[u * LINES + l] = image[(y + l) * side + u];
    filter_lines(lines, side);
    for (int l = 0; l < LINES; l++)
      for (int u = 0; u < side; u++) c[(y + l) * side + u] = lines[u * LINES + l];
  }
  for (int u = 0; u < side; u += LINES) {
    for (int y = 0; y < side; y++) memcpy(lines + y * LINES, c + y * side + u, LINES * sizeof(float));
    filter_lines(lines, side);
    for (int y = 0; y < side; y++) memcpy(c + y * side + u, lines + y * LINES, LINES * sizeof(float));
  }
  float t = 0.3f, s = 0.7f;
  float w[4] = {s * s * s / 6, (3 * t * t * t - 6 * t * t + 4) / 6, (3 * s * s * s - 6 * s * s + 4) / 6, t * t * t / 6};
  float *moved = c + side * side;
  for (int y = 1; y < side - 2; y++) {
    const float *a = c + (y - 1) * side, *b = a + side, *d = b + side, *e = d + side;
    for (int u = 0; u < side; u++) lines[u] = w[0] * a[u] + w[1] * b[u] + w[2] * d[u] + w[3] * e[u];
    for (int u = 1; u < side - 2; u++)
      moved[y * side + u] = w[0] * lines[u - 1] + w[1] * lines[u] + w[2] * lines[u + 1] + w[3] * lines[u + 2];
  }
}

/* Blur by thirteen weights along both axes, doubles. */
#define REACH 6
static void blur(int side) {
  static double row[1024 + 2 * REACH];
  double w[REACH + 1];
  for (int d = 0; d <= REACH; d++) w[d] = 0.25 * exp(-2.0 * d * d / (REACH * REACH));
  for (int y = 0; y < side; y++) {
    memset(row, 0, sizeof row);
    memcpy(row + REACH, blurred + y * side, side * sizeof(double));
    for (int u = 0; u < side; u++) {
      double sum = w[0] * row[u + REACH];
      for (int d = 1; d <= REACH; d++) sum += w[d] * (row[u + REACH - d] + row[u + REACH + d]);
      kept[(y + REACH) * side + u] = sum;
    }
  }
  for (int y = 0; y < side; y++) {
    const double *middle = kept + (y + REACH) * side;
    for (int u = 0; u < side; u++) {
      double sum = w[0] * middle[u];
      for (int d = 1; d <= REACH; d++) sum += w[d] * (middle[u - d * side] + middle[u + d * side]);
      blurred[y * side + u] = sum;
    }
  }
}

/* A stage of the phase field on a whole box: chemical potential and mobility by tables, then the flux and the stage's sum. */
#define INTERVALS 8192
static void sum_up(int side, int even) {
  int stride = side + 2;
  for (int y = 1; y <= side; y++) {
    int from = y * stride + 1;
    mu[from + side] = mu[from + side - 1];
    mu[from - 1] = mu[from];
    for (int at = from; at < from + side; at++) {
      double here = even ? 2 : mobility[at];
      double right = (here + (even ? 0 : mobility[at + 1])) * (mu[at + 1] - mu[at]);
      double left = (here + (even ? 0 : mobility[at - 1])) * (mu[at] - mu[at - 1]);
      double down = open_below[at] * (here + (even ? 0 : mobility[at + stride])) * (mu[at + stride] - mu[at]);
      double up = open_below[at - stride] * (here + (even ? 0 : mobility[at - stride])) * (mu[at] - mu[at - stride]);
      next[at] = 1.3 * last[at] - 0.4 * next[at] + 0.1 * start[at] + 1e-9 * rate[at] + 1e-9 * (right - left + down - up);
    }
  }
}

static double laplacian(int at, int stride) {
  return x[at + 1] + x[at - 1] - 2 * x[at] + open_below[at] * (x[at + stride] - x[at]) -
         open_below[at - stride] * (x[at] - x[at - stride]);
}

static void stencil(int side) {
  int stride = side + 2;
  for (int y = 1; y <= side; y++) {
    int from = y * stride + 1;
    x[from + side] = x[from + side - 1];
    x[from - 1] = x[from];
    for (int at = from; at < from + side; at++) {
      double place = (x[at] + 0.25) * (INTERVALS / 1.5);
      int node = (int)place;
      node = node < 0 ? 0 : node > INTERVALS - 1 ? INTERVALS - 1 : node;
      double part = place - node;
      double m = nodes[2 * node], d = nodes[2 * node + 1];
      mu[at] = m + part * (nodes[2 * node + 2] - m) - 600 * laplacian(at, stride);
      mobility[at] = d + part * (nodes[2 * node + 3] - d);
    }
  }
  sum_up(side, 0);
}

/* The same where the chemical potential is a polynomial and the mobility even. */
static void stencil_polynomial(int side) {
  int stride = side + 2;
  for (int y = 1; y <= side; y++) {
    int from = y * stride + 1;
    x[from + side] = x[from + side - 1];
    x[from - 1] = x[from];
    for (int at = from; at < from + side; at++)
      mu[at] = 200 * x[at] * (1 - x[at]) * (1 - 2 * x[at]) - 600 * laplacian(at, stride);
  }
  sum_up(side, 1);
}

int main(int argc, char **argv) {
  if (argc > 1) runs = atoi(argv[1]);
  int most = 512, cells = (most + 2) * (most + 2) + 16, n = most * most;
  now_u16 = room(n * sizeof *now_u16);
  before_u16 = room(n * sizeof *before_u16);
  image = room(n * sizeof *image);
  out = room(2 * n * sizeof *out);
  blurred = room(n * sizeof *blurred);
  kept = room((n + 2 * REACH * most) * sizeof *kept);
  spectrum = fftwf_malloc(sizeof(fftwf_complex) * most * (most / 2 + 1));
  double **fields[] = {&x, &mu, &mobility, &next, &start, &last, &rate, &open_below, &below, &flux};
  for (int at = 0; at < 10; at++) *fields[at] = room(cells * sizeof(double));
  nodes = room((2 * INTERVALS + 4) * sizeof *nodes);
  for (int at = 0; at <= INTERVALS; at++) {
    double c = -0.25 + 1.5 * at / INTERVALS;
    nodes[2 * at] = 200 * c * (1 - c) * (1 - 2 * c);
    nodes[2 * at + 1] = 1;
  }
  for (int at = 0; at < n; at++) {
    now_u16[at] = 6000 + (at * 2654435761u >> 24);
    before_u16[at] = 6000 + (at * 2246822519u >> 24);
    image[at] = now_u16[at];
    blurred[at] = now_u16[at];
  }
  int sides[] = {256, 512};
  for (int turn = 0; turn < 2; turn++) {
    int side = sides[turn];
    memset(open_below, 0, cells * sizeof(double));
    for (int y = 1; y < side; y++)
      for (int u = 1; u <= side; u++) open_below[y * (side + 2) + u] = 1;
    for (int at = 0; at < (side + 2) * (side + 2); at++) x[at] = last[at] = start[at] = next[at] = 0.5 + 0.3 * sin(0.1 * at);
    plan = fftwf_plan_dft_r2c_2d(side, side, image, spectrum, FFTW_MEASURE);
    for (int at = 0; at < n; at++) image[at] = now_u16[at];
    timed("transform", side, transform);
    timed("light", side, light);
    timed("differential", side, differential);
    timed("spline", side, spline);
    timed("blur", side, blur);
    timed("stencil", side, stencil);
    timed("polynomial", side, stencil_polynomial);
  }
  printf("\n}\n");
  return 0;
}
