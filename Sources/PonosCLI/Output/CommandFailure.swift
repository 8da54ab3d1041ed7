/// A command could not do what it was asked. Its text is all the person sees: what is wrong, and what to do.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
