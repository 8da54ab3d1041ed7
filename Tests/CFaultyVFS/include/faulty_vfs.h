#ifndef FAULTY_VFS_H
#define FAULTY_VFS_H

// A layer over SQLite's own file access that makes chosen operations fail. For tests.

/// Kinds of operations, to be combined.
enum {
  FAULTY_WRITE = 1,
  FAULTY_SYNC = 2,
  FAULTY_TRUNCATE = 4,
  /// Not a kind: only operations on the one file whose path is `prefix`.
  FAULTY_EXACT = 8
};

/// Makes the layer the one that every connection opened from now on uses. May be called again.
int faulty_vfs_install(void);

/// Counts the operations of `kinds` on files whose paths begin with `prefix`, from 1, and fails number `first` and the `count - 1`
/// after it. `result` is what SQLite is told; of a write, half the bytes reach the file when `torn` is not 0. One order at a time.
void faulty_vfs_arm(const char *prefix, int kinds, long first, long count, int result, int torn);

/// Fails nothing any more; returns how many operations were counted since it was armed.
long faulty_vfs_disarm(void);

#endif
