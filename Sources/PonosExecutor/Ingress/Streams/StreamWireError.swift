/// A message of a stream that does not have the shape the protocol demands.
package struct StreamWireError: Error {
  /// The field and what is wrong with it.
  package let message: String
}
