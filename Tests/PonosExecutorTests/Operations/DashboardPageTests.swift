import PonosCore
@testable import PonosExecutor
import PonosTesting
import Testing

@Suite struct DashboardPageTests {
  @Test func interpolatedTextIsEscapedAndHTMLIsNot() {
    let inner: HTML = "<b>\("<i>")</b>"
    let parts: [HTML] = ["<u>", "\("'\"&\0")"]
    let html: HTML = "<p>\(inner)\(5)\(parts)</p>"
    #expect(html.text == "<p><b>&lt;i&gt;</b>5<u>&#39;&quot;&amp;\u{fffd}</p>")
  }

  @Test(arguments: [true, false]) func everyElementIsClosedAndNothingHostileGetsThrough(isReady: Bool) throws {
    let text = DashboardPage.render(StateDumpFixture.state(isReady: isReady)).text
    #expect(!text.contains("alert(\""))
    #expect(text.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;"))
    #expect(try elements(text).filter { $0 == "script" }.count == 1)
    #expect(text.contains("<title>Ponos Executor</title>") == isReady)
    #expect(text.contains("not ready</span>") == !isReady)
    #expect(text.contains("Restarting") && text.contains("4\u{2009}012"))
    for name in ["Performers", "Queues", "Last tasks"] { #expect(text.contains(">\(name)</h2>")) }
  }

  @Test func anEmptyDaemonHasAPageToo() throws {
    var state = StateDumpFixture.state()
    (state.performers, state.queues, state.recentTasks) = ([], [], [])
    let text = DashboardPage.render(state).text
    _ = try elements(text)
    #expect(text.contains("No performer is deployed.") && text.contains("No task has come in yet."))
  }

  @Test func noSecretGetsIntoTheState() throws {
    let state = StateDumpFixture.state()
    var dumped = ""
    dump(state, to: &dumped)
    #expect(!dumped.contains(StateDumpFixture.secret))
    #expect(!DashboardPage.render(state).text.contains(StateDumpFixture.secret))
    #expect(state.configuration.avs.first?.environmentNames == ["API_TOKEN"])
    #expect(state.configuration.hasECDSAKey && !state.configuration.hasBN254Key)
  }

  private struct Malformed: Error { let what: String }

  /// Names of all elements, in order; throws when tags do not nest or an attribute is not quoted.
  private func elements(_ text: String) throws -> [String] {
    let void: Set = ["meta", "link"]
    var (open, names): ([String], [String]) = ([], [])
    for match in text.matches(of: /<(\/?)([a-z0-9]+)((?:\s+[a-z-]+(?:="[^"<]*")?)*)\s*>/) {
      let name = String(match.2)
      if match.1.isEmpty {
        names.append(name)
        if !void.contains(name) { open.append(name) }
      } else if open.popLast() != name {
        throw Malformed(what: "</\(name)>")
      }
    }
    // The doctype aside, every "<" must have begun a tag seen above.
    let tags = text.matches(of: /<\/?[a-z0-9]+(?:\s+[a-z-]+(?:="[^"<]*")?)*\s*>/).count
    guard open.isEmpty, text.filter({ $0 == "<" }).count == tags + 1 else { throw Malformed(what: "\(open)") }
    return names
  }
}
