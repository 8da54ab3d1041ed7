import PonosCore
import Testing

@Suite("What a performer's error says of another run")
struct PerformerStatusTests {
  @Test("of the gRPC statuses exactly two ask for one")
  func ofGRPCStatusesExactlyTwoAskForOne() {
    #expect((1...16).filter { PerformerStatus.asksAgain(grpcCode: $0, hasRetryInfo: false) } == [10, 14])
  }

  @Test("every gRPC status asks for one when it says when", arguments: 1...16)
  func everyGRPCStatusAsksForOneWhenItSaysWhen(code: Int) {
    #expect(PerformerStatus.asksAgain(grpcCode: code, hasRetryInfo: true))
  }

  @Test("of the HTTP statuses exactly two ask for one")
  func ofHTTPStatusesExactlyTwoAskForOne() {
    #expect((100...599).filter { PerformerStatus.asksAgain(httpStatus: $0) } == [429, 503])
  }

  @Test(
    "Retry-After is read in whole seconds only",
    arguments: [
      ("0", Duration.seconds(0)), ("1", .seconds(1)), ("120", .seconds(120)), ("999999999", .seconds(999_999_999)), ("", nil),
      ("-1", nil), ("+1", nil), ("1.5", nil), (" 1", nil), ("1000000000", nil), ("Wed, 21 Oct 2026 07:28:00 GMT", nil),
      ("١", nil),
    ] as [(String, Duration?)])
  func retryAfterIsReadInWholeSecondsOnly(text: String, pause: Duration?) {
    #expect(PerformerStatus.retryAfter(text) == pause)
  }
}
