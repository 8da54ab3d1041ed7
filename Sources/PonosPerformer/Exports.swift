// An author who writes to `task.log` needs no dependency on swift-log of their own.
@_exported public import Logging
