/// What an unread message weighs on its call and its connection.
package struct MessageWeight: Equatable, Sendable {
  /// Flow-control credit of the call that is returned when the message is read, in bytes.
  package var credit = 0
  /// Memory the message holds until it is read, in bytes with its prefix; 0 for everything that is no message.
  package var held = 0

  package init(credit: Int = 0, held: Int = 0) {
    self.credit = credit
    self.held = held
  }
}
