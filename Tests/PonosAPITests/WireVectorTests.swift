import Foundation
import GRPCCore
import PonosAPI
import PonosTesting
import SwiftProtobuf
import Testing

/// Messages and methods are, byte for byte and name for name, what other implementations of the protocol send and expect.
@Suite struct WireVectorTests {
  /// The message that each vector describes.
  private static let messages: [String: any Message] = [
    "protobuf TaskSubmission with defaults omitted": Eigenlayer_Hourglass_V1_TaskSubmission.with {
      $0.taskID = "0x" + String(repeating: "0", count: 63) + "1"
      $0.payload = Data([0x78])
    },
    "protobuf DeployArtifactRequest full": deployArtifactRequest,
    "protobuf DeployArtifactResponse": Eigenlayer_Hourglass_V1_DeployArtifactResponse.with {
      $0.success = true
      $0.message = "ok"
      $0.deploymentID = "deployment-1"
    },
    "protobuf ListPerformersRequest": Eigenlayer_Hourglass_V1_ListPerformersRequest.with {
      $0.avsAddress = "0x8e14db002737f89745bc98f987caeb18d0d47635"
    },
    "protobuf ListPerformersResponse": Eigenlayer_Hourglass_V1_ListPerformersResponse.with {
      $0.performers = [
        .with {
          $0.performerID = "performer-1"
          $0.avsAddress = "0xa"
          $0.status = "InService"
          $0.artifactRegistry = "reg"
          $0.artifactDigest = "sha256:1"
          $0.resourceHealthy = true
          $0.applicationHealthy = true
          $0.lastHealthCheck = "2025-10-05T17:31:24Z"
          $0.containerID = "cid"
          $0.artifactTag = "latest"
        }
      ]
    },
    "protobuf RemovePerformerResponse": Eigenlayer_Hourglass_V1_RemovePerformerResponse.with { $0.message = "no" },
    "protobuf GetChallengeTokenRequest": Eigenlayer_Hourglass_V1_GetChallengeTokenRequest.with {
      $0.operatorAddress = "0xd64ba8c9fa929e3a030a52a0ed73f13224c8c37c"
    },
    "protobuf GetChallengeTokenResponse": Eigenlayer_Hourglass_V1_GetChallengeTokenResponse.with {
      $0.challengeToken = String(repeating: "ab", count: 32)
      $0.expiresAt = 1_758_000_300
    },
    "protobuf performer TaskRequest": Eigenlayer_Hourglass_V1_Performer_TaskRequest.with {
      $0.taskID = Data(("0x" + String(repeating: "0", count: 63) + "1").utf8)
      $0.payload = Data("0x04".utf8)
    },
    "protobuf HealthCheckRequest empty service": Grpc_Health_V1_HealthCheckRequest(),
    "protobuf HealthCheckResponse SERVING": Grpc_Health_V1_HealthCheckResponse.with { $0.status = .serving },
  ]

  private static let deployArtifactRequest = Eigenlayer_Hourglass_V1_DeployArtifactRequest.with { request in
    request.avsAddress = "0x8e14db002737f89745bc98f987caeb18d0d47635"
    request.digest = "sha256:" + String(repeating: "ab", count: 32)
    request.registryURL = "ghcr.io/acme/performer"
    request.env = [
      .with {
        $0.name = "A"
        $0.value = "1"
      },
      .with {
        $0.name = "B"
        $0.valueFromEnv = "HOST_B"
      },
      .with {
        $0.name = "C"
        $0.kubernetesEnv.valueFrom.secretKeyRef.name = "s"
        $0.kubernetesEnv.valueFrom.secretKeyRef.key = "k"
      },
      .with {
        $0.name = "D"
        $0.kubernetesEnv.valueFrom.configMapKeyRef.name = "cm"
        $0.kubernetesEnv.valueFrom.configMapKeyRef.key = "kk"
      },
    ]
    request.kubernetes.serviceAccountName = "sa"
    request.auth.challengeToken = String(repeating: "a", count: 64)
    request.auth.signature = Data([1, 2])
  }

  @Test("each published message has its published bytes, both ways", arguments: try Vectors.of("protobuf"))
  func eachPublishedMessageHasItsPublishedBytes(vector: TestVector) throws {
    let message = try #require(Self.messages[vector.name], "no message for this vector")
    #expect(type(of: message).protoMessageName == (try vector.inputs.string("message")))
    let published = try vector.outputs.bytes("serialized_hex")
    let serialized: [UInt8] = try message.serializedBytes()
    #expect(serialized == published)
    #expect(try type(of: message).init(serializedBytes: published).isEqualTo(message: message))
  }

  @Test("a field of a newer version of the protocol is kept, not refused")
  func fieldOfNewerVersionOfProtocolIsKept() throws {
    let published: [UInt8] = try Eigenlayer_Hourglass_V1_RemovePerformerResponse.with { $0.message = "no" }.serializedBytes()
    // Field 100, a varint of 7.
    let extended = published + [0xa0, 0x06, 0x07]
    let message = try Eigenlayer_Hourglass_V1_RemovePerformerResponse(serializedBytes: extended)
    #expect(message.message == "no")
    let again: [UInt8] = try message.serializedBytes()
    #expect(again == extended)
  }

  @Test("services and methods have their published names")
  func servicesAndMethodsHaveTheirPublishedNames() {
    let names = [
      Eigenlayer_Hourglass_V1_ExecutorService.Method.SubmitTask.descriptor,
      Eigenlayer_Hourglass_V1_ExecutorManagementService.Method.DeployArtifact.descriptor,
      Eigenlayer_Hourglass_V1_ExecutorManagementService.Method.ListPerformers.descriptor,
      Eigenlayer_Hourglass_V1_ExecutorManagementService.Method.RemovePerformer.descriptor,
      Eigenlayer_Hourglass_V1_ExecutorManagementService.Method.GetChallengeToken.descriptor,
      Eigenlayer_Hourglass_V1_Performer_PerformerService.Method.ExecuteTask.descriptor,
      Grpc_Health_V1_Health.Method.Check.descriptor,
      Grpc_Health_V1_Health.Method.Watch.descriptor,
    ].map(\.fullyQualifiedMethod)
    #expect(
      names == [
        "eigenlayer.hourglass.v1.ExecutorService/SubmitTask",
        "eigenlayer.hourglass.v1.ExecutorManagementService/DeployArtifact",
        "eigenlayer.hourglass.v1.ExecutorManagementService/ListPerformers",
        "eigenlayer.hourglass.v1.ExecutorManagementService/RemovePerformer",
        "eigenlayer.hourglass.v1.ExecutorManagementService/GetChallengeToken",
        "eigenlayer.hourglass.v1.performer.PerformerService/ExecuteTask",
        "grpc.health.v1.Health/Check",
        "grpc.health.v1.Health/Watch",
      ])
  }
}
