/// Points that are on a curve but outside the group that keys come from.
enum OutsideSubgroup {
  /// On BN254's twisted curve with x = 1 + 0i; the group order times it is not infinity.
  static let bn254G2 =
    "0000000000000000000000000000000000000000000000000000000000000000"
    + "0000000000000000000000000000000000000000000000000000000000000001"
    + "0d1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4"
    + "2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb"
}
