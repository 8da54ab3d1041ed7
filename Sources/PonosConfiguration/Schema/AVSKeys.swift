import PonosCore

extension ConfigurationSchema {
  /// The AVSs this executor works for, and their performers.
  static let avsKeys: [ConfigurationKey] =
    performerKeys + interfaceKeys + dispatchKeys + responseKeys + limitKeys + registryKeys + keySelectionKeys
    + otherPerformerKeys

  private static let performerKeys: [ConfigurationKey] = [
    ConfigurationKey("avsPerformers", .list, "One entry per AVS. An empty list is fine: performers can be deployed later."),
    ConfigurationKey("avsPerformers[].avsAddress", .address, required: true, "Address of the AVS."),
    ConfigurationKey(
      "avsPerformers[].image", .group, absent: "nothing is deployed at start",
      "The performer deployed at start. Give `tag`, `digest` or both."),
    ConfigurationKey(
      "avsPerformers[].image.repository", .repository, required: true, "Registry, port and path, without scheme and tag."),
    ConfigurationKey("avsPerformers[].image.tag", .tag, "Version by name."),
    ConfigurationKey("avsPerformers[].image.digest", .digest, "Version by content; wins over `tag`."),
    AVSKeys.pullPolicy.row,
    ConfigurationKey("avsPerformers[].envs", .list, "Variables of the performer's container; it gets no others."),
    ConfigurationKey("avsPerformers[].envs[].name", .variableName, required: true, "Name of the variable."),
    ConfigurationKey("avsPerformers[].envs[].value", .text, default: "", secret: true, "Its value."),
    ConfigurationKey(
      "avsPerformers[].envs[].valueFromEnv", .variableName,
      "Name of a variable of the executor, read when a container is created; wins over `value`."),
    ConfigurationKey(
      "avsPerformers[].processType", .choice(["server"]), default: "server", "Performers are servers; there is no other type."),
    ConfigurationKey(
      "avsPerformers[].deploymentMode", .choice(["docker", "kubernetes"]), default: "docker",
      "`kubernetes` is not available in this version: it is an error."),
    AVSKeys.concurrency.row, AVSKeys.taskTimeout.row, AVSKeys.maxPayloadBytes.row,
  ]

  private static let interfaceKeys: [ConfigurationKey] = [
    ConfigurationKey(
      "avsPerformers[].protocol", .choice(["grpc", "http"]), default: "grpc",
      "What the performers of this AVS speak, however they were deployed: the Hourglass performer service, or plain HTTP."),
    AVSKeys.port.row,
    ConfigurationKey("avsPerformers[].http", .group, "With `protocol: http`: the paths they serve."),
    ConfigurationKey("avsPerformers[].http.taskPath", .urlPath, default: "/task", "Where tasks are posted."),
    ConfigurationKey(
      "avsPerformers[].http.healthPath", .urlPath, default: "/health", "What answers 200 once they are ready for tasks."),
  ]

  private static let responseKeys: [ConfigurationKey] = [
    ConfigurationKey(
      "avsPerformers[].responseRules", .group,
      "What every output of this AVS looks like. One that does not is not signed: its task fails with `output_invalid`."),
    ResponseKeys.minBytes.row, ResponseKeys.maxBytes.row,
    ConfigurationKey("avsPerformers[].responseRules.prefix", .hexBytes(1...64), reload: .live, "How it begins."),
    ConfigurationKey(
      "avsPerformers[].responseRules.format", .choice(["any", "json", "abiWords"]), default: "any", reload: .live,
      "`json`: one JSON text in UTF-8. `abiWords`: words of 32 bytes, as contracts encode values of fixed size."),
    ConfigurationKey(
      "avsPerformers[].responseRules.abiWords", .integer(1...(ResponseChecks.maxOutputBytes / 32)),
      absent: "any number from 1", reload: .live, "With `format: abiWords`: how many words."),
  ]

  private static let limitKeys: [ConfigurationKey] = [
    ConfigurationKey(
      "avsPerformers[].resources", .group,
      "Limits of each container of this AVS, however it was deployed. A performer that may use more memory or processors than the "
        + "host has is not started, and tasks for it are refused: `insufficient_resources`."),
    ResourceKeys.memory.row, ResourceKeys.cpus.row, ResourceKeys.pids.row, ResourceKeys.tmpfs.row,
  ]

  private static let registryKeys: [ConfigurationKey] = [
    ConfigurationKey(
      "avsPerformers[].registry", .group,
      "Operator sets and aggregators of the AVS, instead of what the chain says: nothing is read for this AVS."),
    ConfigurationKey(
      "avsPerformers[].registry.executorOperatorSets", .list, required: true, "Operator sets this executor works in."),
    ConfigurationKey(
      "avsPerformers[].registry.executorOperatorSets[].id", .integer(0...Int(UInt32.max)), required: true, "Number of the set."),
    ConfigurationKey(
      "avsPerformers[].registry.executorOperatorSets[].curve", .choice(["ecdsa", "bn254"]), required: true,
      "Curve its results are signed with."),
    ConfigurationKey("avsPerformers[].registry.aggregators", .list, required: true, "Who may submit tasks."),
    ConfigurationKey(
      "avsPerformers[].registry.aggregators[].address", .address, required: true, "Operator address of the aggregator."),
    ConfigurationKey(
      "avsPerformers[].registry.aggregators[].curve", .choice(["ecdsa", "bn254"]), required: true,
      "Curve it signs submissions with."),
    ConfigurationKey(
      "avsPerformers[].registry.aggregators[].signingAddress", .address,
      "With `curve: ecdsa`, and needed there: address of its signing key."),
    ConfigurationKey(
      "avsPerformers[].registry.aggregators[].publicKey", .bn254PublicKey,
      "With `curve: bn254`, and needed there: its G2 public key, imaginary parts first."),
  ]

  /// What is read from the chain, and with which keys.
  private static let keySelectionKeys: [ConfigurationKey] =
    [
      ConfigurationKey(
        "avsPerformers[].taskCheck", .choice(TaskCheck.allCases.map(\.rawValue)), default: TaskCheck.none.rawValue,
        "What the TaskMailbox has to know of a task. `exists`: it was created and is not finished. `full`: also its operator set and "
          + "payload, and its SLA ends the task."),
      ConfigurationKey(
        "avsPerformers[].signingKeys", .group, absent: "as `operator.signingKeys`",
        "Keys for this AVS, before those of the operator: a key serves one operator set only, so two sets of one curve need two keys."
      ),
    ] + signingKeys(below: "avsPerformers[].signingKeys") + [
      ConfigurationKey("avsPerformers[].operatorSetKeys", .list, "Keys for single operator sets, before all others."),
      ConfigurationKey(
        "avsPerformers[].operatorSetKeys[].id", .integer(0...Int(UInt32.max)), required: true, "Number of the set."),
      ConfigurationKey(
        "avsPerformers[].operatorSetKeys[].signingKeys", .group, required: true, "Its keys, as `operator.signingKeys`."),
    ] + signingKeys(below: "avsPerformers[].operatorSetKeys[].signingKeys")

  private static let otherPerformerKeys: [ConfigurationKey] = [
    ConfigurationKey(ignored: "avsPerformers[].workerCount", because: "use `concurrency`"),
    ConfigurationKey(ignored: "avsPerformers[].signingCurve", because: "the curve belongs to the operator set: see `registry`"),
    ConfigurationKey(ignored: "avsPerformers[].avsRegistrarAddress", because: "the registrar is found through the AVS address"),
    ConfigurationKey(ignored: "avsPerformers[].kubernetes", because: "performers run in Docker"),
    ConfigurationKey(ignored: "avsPerformers[].envs[].type", because: "all variables are treated alike"),
    ConfigurationKey(ignored: "avsPerformers[].envs[].kubernetesEnv", because: "performers run in Docker; use `valueFromEnv`"),
  ]
}
