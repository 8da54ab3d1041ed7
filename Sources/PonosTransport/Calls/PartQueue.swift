/// The parts of one direction of a call that have arrived and nobody has read, with the end of that direction behind them.
package struct PartQueue<Part: Sendable>: Sendable {
  /// One part and what reading it sets free.
  package struct Entry: Sendable {
    package var part: Part
    package var weight: MessageWeight
  }

  /// What a reader gets.
  package enum Reading: Sendable {
    case part(Entry)
    /// Nothing is there yet.
    case wait
    case end
    case failure(any Error)
  }

  private enum Ending {
    /// More parts may be added.
    ///
    /// Can transition to ``ended``, ``failed``.
    case open
    /// No more parts are added; those that are there can be read.
    ///
    /// Can transition to ``failed``.
    case ended
    /// The parts that nobody had read were dropped; readers get the error.
    ///
    /// This state is terminal.
    case failed(any Error)
  }

  private var first: Entry?
  private var rest: [Entry] = []
  private var restIndex = 0
  private var ending = Ending.open

  package init() {}

  /// Adds a part; ignored after the end.
  package mutating func append(_ part: Part, weight: MessageWeight = MessageWeight()) {
    guard case .open = ending else { return }
    let entry = Entry(part: part, weight: weight)
    if first == nil {
      first = entry
    } else {
      rest.append(entry)
    }
  }

  /// Whether there is nothing to read, the end left aside.
  package var isEmpty: Bool { first == nil }

  /// Whether parts are no longer taken.
  package var isEnded: Bool {
    if case .open = ending { false } else { true }
  }

  /// Ends the direction behind the parts that are already there.
  package mutating func finish() {
    if case .open = ending { ending = .ended }
  }

  /// Ends the direction now: parts nobody has read are dropped and returned.
  package mutating func fail(_ error: any Error) -> [Entry] {
    if case .failed = ending { return [] }
    ending = .failed(error)
    return removeAll()
  }

  /// Drops and returns what is there.
  package mutating func removeAll() -> [Entry] {
    guard first != nil else { return [] }
    var dropped: [Entry] = []
    while let entry = popFirst() { dropped.append(entry) }
    return dropped
  }

  /// Takes the next part.
  package mutating func read() -> Reading {
    if let entry = popFirst() { return .part(entry) }
    switch ending {
    case .open: return .wait
    case .ended: return .end
    case .failed(let error): return .failure(error)
    }
  }

  private mutating func popFirst() -> Entry? {
    guard let entry = first else { return nil }
    if restIndex < rest.count {
      first = rest[restIndex]
      restIndex += 1
      compact()
    } else {
      first = nil
    }
    return entry
  }

  /// Frees the array once it is read to its end, or half read and large, so that each part is moved at most once on average.
  private mutating func compact() {
    if restIndex == rest.count {
      rest.removeAll(keepingCapacity: true)
      restIndex = 0
    } else if restIndex >= 64, restIndex * 2 >= rest.count {
      rest.removeFirst(restIndex)
      restIndex = 0
    }
  }
}
