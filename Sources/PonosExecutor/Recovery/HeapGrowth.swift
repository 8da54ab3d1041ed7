import CMalloc

/// How the heaps of the process grow, in glibc's terms.
enum HeapGrowth {
  /// From now on 64 MiB at a time, as far as address space goes; memory is used when it is written to. By itself glibc lets the
  /// heap of a thread grow by the page, with a system call for each, which for a hundred thousand tasks is a good part of their
  /// recovery.
  static func inLargeSteps() {
    mallopt(M_TOP_PAD, 64 << 20)
    // Setting any of them keeps glibc from adapting the others: blocks of this size and more would be mapped by themselves, each
    // with two system calls, and so would most contents of tasks with its ordinary 128 KiB.
    mallopt(M_MMAP_THRESHOLD, 4 << 20)
    mallopt(M_TRIM_THRESHOLD, 8 << 20)
  }

  /// From now on by what is needed, as by default; the sizes from which blocks are mapped and memory is given back stay.
  static func inSmallSteps() {
    mallopt(M_TOP_PAD, 128 << 10)
  }
}
