import Foundation

/// A visit to a page with a real browser, which runs its scripts.
struct Browser {
  /// The document as it was at the end of the visit, after the page's scripts had changed it.
  let page: String
  /// What the browser wrote to its console: script errors, blocked and missing resources.
  let complaints: [String]

  /// Stays for five of the browser's seconds, which pass as soon as nothing is being loaded.
  static func open(_ url: String) async throws -> Browser {
    let profile = FileManager.default.temporaryDirectory.appending(path: "ponos-browser-\(UUID())")
    defer { try? FileManager.default.removeItem(at: profile) }
    let output = try await Command.run(
      "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
      "--disable-background-networking", "--no-first-run", "--user-data-dir=\(profile.path)", "--enable-logging=stderr",
      "--virtual-time-budget=5000", "--dump-dom", url)
    let lines = output.split(separator: "\n").map(String.init)
    return Browser(
      page: lines.filter { !isLogLine($0) }.joined(separator: "\n"),
      complaints: lines.filter { isLogLine($0) && $0.contains(":CONSOLE") })
  }

  /// `[4242:4242:1123/221500.123456:INFO:CONSOLE:12] …`
  private static func isLogLine(_ line: String) -> Bool { line.prefixMatch(of: /\[\d+:\d+:\d+\/\d+\.\d+:/) != nil }
}
