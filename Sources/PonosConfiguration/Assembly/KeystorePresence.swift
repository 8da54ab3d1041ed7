/// Whether the keystores that a configuration names have to be there already.
package enum KeystorePresence: Sendable {
  /// The configuration is about to be used here.
  case mustBeThere
  /// It may be meant for another host.
  case mayBeMissing
}
