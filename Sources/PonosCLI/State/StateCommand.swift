import ArgumentParser

/// `state`: maintains the database, which keeps tasks, results and the history of signatures.
struct StateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "state", abstract: "Backs up, checks and compacts the database, and moves the history of signatures.",
    discussion: """
      EXIT STATUS
        0 done, 1 failed, 64 wrong usage, 65 the database is damaged, an export left damaged records out, or an import contradicts
        the database, 78 the configuration cannot be used
      """,
    subcommands: [
      StateBackupCommand.self, StateVerifyCommand.self, StateCompactCommand.self, StateExportCommand.self,
      StateImportCommand.self,
    ])

  /// EX_DATAERR of sysexits.h: the command worked, and found the data damaged.
  static let unsound = ExitCode(65)
}
