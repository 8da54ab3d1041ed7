import Testing

@testable import PonosCLI

/// Variables for a deployment, from arguments and from files.
@Suite struct PerformerVariablesTests {
  private var variables = PerformerVariables(inherited: ["API_URL": "http://inherited.test", "EMPTY": ""])

  @Test mutating func withAndWithoutAValue() throws {
    for text in ["A=1", "B=x=y", "C=", "API_URL", "EMPTY"] { try variables.add(text[...], place: "--env") }
    #expect(variables.values == ["A": "1", "B": "x=y", "C": "", "API_URL": "http://inherited.test", "EMPTY": ""])
  }

  @Test mutating func filesHaveOneOnALine() throws {
    try variables.add(fileText: "# a comment\n\nA=1\r\nAPI_URL\nB= two words \n  \n", path: "square.env")
    #expect(variables.values == ["A": "1", "API_URL": "http://inherited.test", "B": " two words "])
    try variables.add("A=2", place: "--env")
    #expect(variables.values["A"] == "2", "arguments beat the file")
  }

  @Test(arguments: ["UNKNOWN", "=s3cret", "MY NAME=s3cret"])
  mutating func errorsSayWhereAndQuoteNoValue(line: String) throws {
    do {
      try variables.add(fileText: "A=1\n" + line, path: "square.env")
      Issue.record("accepted")
    } catch {
      #expect(error.description.hasPrefix("square.env:2: "))
      #expect(!error.description.contains("s3cret"))
    }
  }
}
