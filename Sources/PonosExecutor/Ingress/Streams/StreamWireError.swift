/// A message of a stream that does not have the shape the protocol demands.
struct StreamWireError: Error {
  /// The field and what is wrong with it.
  let message: String
}
