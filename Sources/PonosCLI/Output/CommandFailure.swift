/// Why a command failed. The person sees only this text, which says what is wrong and what to do.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
