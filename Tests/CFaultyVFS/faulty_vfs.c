#include "faulty_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

typedef struct {
  sqlite3_file base;
  sqlite3_file *real;
  char path[512];
} FaultyFile;

static sqlite3_vfs *root;
static sqlite3_vfs layer;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char watched[512];
static int watchedKinds;
static long firstFault, lastFault, operations;
static int faultResult, faultIsTorn;

static int isWatched(const char *path) {
  if (watchedKinds & FAULTY_EXACT) return strcmp(path, watched) == 0;
  return strncmp(path, watched, strlen(watched)) == 0;
}

// Counts an operation; returns what it is to fail with, or SQLITE_OK.
static int check(sqlite3_file *file, int kind, int *torn) {
  const char *path = ((FaultyFile *)file)->path;
  int result = SQLITE_OK;
  pthread_mutex_lock(&lock);
  if ((watchedKinds & kind) && isWatched(path)) {
    operations++;
    if (operations >= firstFault && operations <= lastFault) {
      result = faultResult;
      if (torn) *torn = faultIsTorn;
    }
  }
  pthread_mutex_unlock(&lock);
  return result;
}

static sqlite3_file *real(sqlite3_file *file) { return ((FaultyFile *)file)->real; }

static int layerClose(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }

static int layerRead(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
  return real(file)->pMethods->xRead(real(file), bytes, count, offset);
}

static int layerWrite(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
  int torn = 0;
  int result = check(file, FAULTY_WRITE, &torn);
  if (result == SQLITE_OK) return real(file)->pMethods->xWrite(real(file), bytes, count, offset);
  if (torn) real(file)->pMethods->xWrite(real(file), bytes, count / 2, offset);
  return result;
}

static int layerTruncate(sqlite3_file *file, sqlite3_int64 size) {
  int result = check(file, FAULTY_TRUNCATE, 0);
  return result == SQLITE_OK ? real(file)->pMethods->xTruncate(real(file), size) : result;
}

static int layerSync(sqlite3_file *file, int flags) {
  int result = check(file, FAULTY_SYNC, 0);
  return result == SQLITE_OK ? real(file)->pMethods->xSync(real(file), flags) : result;
}

static int layerFileSize(sqlite3_file *file, sqlite3_int64 *size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}

static int layerLock(sqlite3_file *file, int level) { return real(file)->pMethods->xLock(real(file), level); }

static int layerUnlock(sqlite3_file *file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }

static int layerCheckReservedLock(sqlite3_file *file, int *isHeld) {
  return real(file)->pMethods->xCheckReservedLock(real(file), isHeld);
}

static int layerFileControl(sqlite3_file *file, int operation, void *argument) {
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

static int layerSectorSize(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }

static int layerCharacteristics(sqlite3_file *file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int layerShmMap(sqlite3_file *file, int page, int size, int extend, void volatile **memory) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, memory);
}

static int layerShmLock(sqlite3_file *file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void layerShmBarrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }

static int layerShmUnmap(sqlite3_file *file, int isDeleted) {
  return real(file)->pMethods->xShmUnmap(real(file), isDeleted);
}

// Version 2: without memory mapping, so that every write comes past `layerWrite`.
static const sqlite3_io_methods methods = {
    2,           layerClose,    layerRead,        layerWrite,      layerTruncate,
    layerSync,   layerFileSize, layerLock,        layerUnlock,     layerCheckReservedLock,
    layerFileControl, layerSectorSize, layerCharacteristics, layerShmMap, layerShmLock,
    layerShmBarrier, layerShmUnmap, 0, 0};

static int layerOpen(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *outFlags) {
  (void)vfs;
  FaultyFile *faulty = (FaultyFile *)file;
  faulty->real = (sqlite3_file *)(faulty + 1);
  faulty->path[0] = 0;
  if (name) strncat(faulty->path, name, sizeof faulty->path - 1);
  int result = root->xOpen(root, name, faulty->real, flags, outFlags);
  // SQLite closes what has methods, also when opening failed.
  faulty->base.pMethods = faulty->real->pMethods ? &methods : 0;
  return result;
}

int faulty_vfs_install(void) {
  pthread_mutex_lock(&lock);
  int result = SQLITE_OK;
  if (root == 0) {
    root = sqlite3_vfs_find(0);
    layer = *root;
    layer.zName = "faulty";
    layer.pNext = 0;
    layer.szOsFile = (int)sizeof(FaultyFile) + root->szOsFile;
    layer.xOpen = layerOpen;
    result = sqlite3_vfs_register(&layer, 1);
  }
  pthread_mutex_unlock(&lock);
  return result;
}

void faulty_vfs_arm(const char *prefix, int kinds, long first, long count, int result, int torn) {
  pthread_mutex_lock(&lock);
  watched[0] = 0;
  strncat(watched, prefix, sizeof watched - 1);
  watchedKinds = kinds;
  firstFault = first;
  lastFault = first > 0 ? first + count - 1 : 0;
  operations = 0;
  faultResult = result;
  faultIsTorn = torn;
  pthread_mutex_unlock(&lock);
}

long faulty_vfs_disarm(void) {
  pthread_mutex_lock(&lock);
  long counted = operations;
  watchedKinds = 0;
  firstFault = lastFault = 0;
  pthread_mutex_unlock(&lock);
  return counted;
}
