import PonosCore
import Testing

@Suite("Environment deny-list")
struct EnvironmentDenyListTests {
  @Test(
    "keeps secrets and host variables away",
    arguments: [
      "OPERATOR_PRIVATE_KEY", "operator_private_key", "SYSTEM_KEYSTORE_PASSWORD", "BLS_KEYSTORE_CONTENT", "DB_PASSWORD",
      "PATH", "HOME", "SSH_AUTH_SOCK", "AWS_SECRET_ACCESS_KEY", "LD_PRELOAD", "WEB3_SIGNER_BLS_CLIENT_KEY_CONTENT",
      "DOCKER_HOST", "EXECUTOR_OPERATOR__ADDRESS", "Mnemonic", "PWD", "SHELL", "USER", "OPENAI_API_KEY", "CI_JOB_TOKEN",
      "DB_SECRET",
      "GITHUB_TOKEN", "API_TOKEN", "Stripe_ApiKey", "MINIO_ACCESS_KEY", "GIT_CREDENTIALS", "SYSTEM_ADDRESS", "TOKENS",
    ])
  func keepsSecretsAndHostVariablesAway(name: String) {
    #expect(EnvironmentDenyList.standard.denies(name))
  }

  @Test(
    "lets through what performers need",
    arguments: [
      "L1_RPC_URL", "L2_RPC_URL", "TASK_MAILBOX", "TASK_AVS_REGISTRAR", "HELLO_WORLD_L1", "LOG_LEVEL", "L1_CHAIN_ID",
      "OPERATOR_ADDRESS", "HOMEPAGE", "PATHFINDER", "TOKEN_ADDRESS", "REWARD_TOKEN_ADDRESS",
    ])
  func letsThroughWhatPerformersNeed(name: String) {
    #expect(!EnvironmentDenyList.standard.denies(name))
  }

  @Test("drops a harmless name that reads a denied variable of the daemon")
  func dropsHarmlessNameThatReadsDeniedVariableOfDaemon() {
    let variables = [
      EnvironmentVariable(name: "RPC", source: .literal("PATH")),
      EnvironmentVariable(name: "X", source: .executorEnvironment("OPERATOR_PRIVATE_KEY")),
      EnvironmentVariable(name: "HOME", source: .literal("/")),
      EnvironmentVariable(name: "Y", source: .executorEnvironment("L1_RPC_URL")),
    ]
    let (passed, dropped) = EnvironmentDenyList.standard.filter(variables)
    #expect(passed.map(\.name) == ["RPC", "Y"])
    #expect(dropped == 2)
  }
}
