import PonosCore
import PonosStore

/// The page at `/`: how the daemon is, in one look. Its script fetches the page again and puts the new content in, so this is
/// the only place where anything is drawn.
package enum DashboardPage {
  package static func render(_ state: StateDump) -> HTML {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Ponos Executor\(state.readiness.isReady ? "" : " (not ready)")</title>
    <link rel="icon" href="favicon.svg">
    <link rel="stylesheet" href="dashboard.css">
    <script src="dashboard.js" defer></script>
    </head>
    <body>
    <main id="content">
    \(header(state))
    \(readiness(state.readiness))
    \(counts(state.tasks))
    <section aria-labelledby="performers-title"><h2 id="performers-title">Performers</h2>\(performers(state))</section>
    <section aria-labelledby="queues-title"><h2 id="queues-title">Queues</h2>\(queues(state))</section>
    \(chain(state))
    <section aria-labelledby="tasks-title"><h2 id="tasks-title">Last tasks</h2>\(tasks(state))</section>
    </main>
    <footer><span id="refresh" role="status"></span>
    <nav><a href="api/v1/state">state as JSON</a> <a href="metrics">metrics</a> <a href="readyz?verbose">readiness</a></nav></footer>
    </body>
    </html>

    """
  }

  // MARK: Head

  private static func header(_ state: StateDump) -> HTML {
    let badge: HTML =
      state.readiness.isReady ? #"<span class="badge good">ready</span>"# : #"<span class="badge bad">not ready</span>"#
    let chain = state.configuration.chainID
    return """
      <header><h1>Ponos Executor \(badge)</h1>
      <dl class="facts">
      <div><dt>Operator</dt><dd>\(code(state.operatorAddress.description, short: false))</dd></div>
      <div><dt>Version</dt><dd>\(state.version)</dd></div>
      <div><dt>Up</dt><dd>\(DashboardText.span(state.uptime))</dd></div>
      <div><dt>Chain</dt><dd>\(chain)</dd></div>
      <div><dt>Ports</dt><dd>\(state.configuration.taskPort) tasks, \(state.configuration.managementPort) management</dd></div>
      </dl></header>
      """
  }

  private static func readiness(_ readiness: Readiness) -> HTML {
    guard !readiness.concerns.isEmpty else { return "" }
    let items = readiness.concerns.map { check -> HTML in
      "<li><strong>\(check.name)</strong> \(check.reason ?? "is not ready")</li>"
    }
    return #"<ul class="missing">\#(items)</ul>"#
  }

  private static func counts(_ tasks: TaskCounts) -> HTML {
    let tiles: [(String, Int, String)] = [
      ("waiting", tasks.waiting, "now"), ("executing", tasks.executing, "now"), ("accepted", tasks.accepted, "since start"),
      ("signed", tasks.signed, "since start"), ("failed", tasks.failed, "since start"), ("refused", tasks.refused, "since start"),
    ]
    let rendered = tiles.map { name, count, when -> HTML in
      let tone = (name == "failed" && count > 0) ? "warn" : ""
      return """
        <li class="\(tone)"><span class="label">\(name)</span><b>\(DashboardText.count(count))</b><small>\(when)</small></li>
        """
    }
    return #"<ul class="counts" aria-label="Tasks">\#(rendered)</ul>"#
  }

  // MARK: Tables

  private static func performers(_ state: StateDump) -> HTML {
    let rows = state.performers.map { performer -> HTML in
      let health: HTML =
        performer.isHealthy ? #"<span class="badge good">healthy</span>"# : #"<span class="badge bad">not healthy</span>"#
      let checked = performer.lastHealthCheckAt.map { "checked \(DashboardText.ago($0, now: state.now))" } ?? "not checked yet"
      let error: HTML = performer.lastError.map { #"<p class="error">\#($0)</p>"# } ?? ""
      let containerID = performer.containerID.map { String($0.prefix(12)) }
      let container: HTML = containerID.map { "<small>container \(code($0, short: false))</small>" } ?? ""
      return """
        <tr><td data-label="AVS">\(code(performer.avs.description))</td>
        <td data-label="State"><span class="state">\(performer.state)</span>\(error)</td>
        <td data-label="Health">\(health)<small>\(checked)</small></td>
        <td data-label="Image"><code title="\(performer.image)">\(DashboardText.image(performer.image))</code>\(container)</td>
        <td data-label="Tasks" class="number">\(performer.outstanding) of \(performer.capacity)</td>
        <td data-label="Restarts" class="number">\(performer.restarts)</td></tr>
        """
    }
    return table(
      ["AVS", "State", "Health", "Image", "Tasks", "Restarts"], numbers: ["Tasks", "Restarts"], rows,
      empty: "No performer is deployed.")
  }

  private static func queues(_ state: StateDump) -> HTML {
    let rows = state.queues.map { queue -> HTML in
      """
      <tr><td data-label="AVS">\(code(queue.avs.description))</td>
      <td data-label="Waiting" class="number">\(DashboardText.count(queue.waiting)) of \(DashboardText.count(queue.limit))</td>
      <td data-label="Filled">\(meter(queue.waiting, of: queue.limit))</td></tr>
      """
    }
    return table(["AVS", "Waiting", "Filled"], numbers: ["Waiting"], rows, empty: "No AVS is configured.")
  }

  /// Nothing where every AVS has a registry.
  private static func chain(_ state: StateDump) -> HTML {
    guard !state.chain.isEmpty else { return "" }
    let rows = state.chain.map { endpoint -> HTML in
      let tone = endpoint.state == "serving" ? "good" : "bad"
      let error: HTML = endpoint.state == "serving" ? "" : endpoint.lastError.map { #"<p class="error">\#($0)</p>"# } ?? ""
      return """
        <tr><td data-label="Endpoint">\(endpoint.endpoint)</td>
        <td data-label="State"><span class="badge \(tone)">\(endpoint.state)</span>\(error)</td>
        <td data-label="Head" class="number">\(endpoint.head.map { DashboardText.count(Int($0)) } ?? "…")</td>
        <td data-label="Lag" class="number">\(DashboardText.count(Int(endpoint.lag)))</td>
        <td data-label="Calls" class="number">\(DashboardText.count(endpoint.callsLastHour))<small>last hour</small></td></tr>
        """
    }
    let rendered = table(
      ["Endpoint", "State", "Head", "Lag", "Calls"], numbers: ["Head", "Lag", "Calls"], rows, empty: "No endpoint is configured.")
    return #"<section aria-labelledby="chain-title"><h2 id="chain-title">Chain</h2>\#(rendered)</section>"#
  }

  private static func meter(_ value: Int, of limit: Int) -> HTML {
    let limit = max(1, limit)
    return #"<meter min="0" max="\#(limit)" high="\#(max(1, limit * 4 / 5))" value="\#(value)">\#(value)</meter>"#
  }

  private static func tasks(_ state: StateDump) -> HTML {
    let rows = state.recentTasks.map { task -> HTML in
      let failure: HTML = task.failure.map { #"<p class="error">\#($0.code): \#($0.message)</p>"# } ?? ""
      let took = task.finishedAt.map { DashboardText.span(.milliseconds(max(0, $0 - task.acceptedAt))) } ?? "…"
      return """
        <tr><td data-label="Task">\(code(task.id.description))</td>
        <td data-label="AVS">\(code(task.avs.description))<small>set \(task.operatorSetID)</small></td>
        <td data-label="Phase">\(phase(task.phase))\(failure)</td>
        <td data-label="Accepted">\(DashboardText.ago(task.acceptedAt, now: state.now))</td>
        <td data-label="Took" class="number">\(took)</td>
        <td data-label="Runs" class="number">\(task.attempt)</td></tr>
        """
    }
    return table(
      ["Task", "AVS", "Phase", "Accepted", "Took", "Runs"], numbers: ["Took", "Runs"], rows, empty: "No task has come in yet.")
  }

  private static func phase(_ phase: TaskPhase) -> HTML {
    switch phase {
    case .signed: #"<span class="badge good">signed</span>"#
    case .failed: #"<span class="badge bad">failed</span>"#
    case .queued: #"<span class="badge">queued</span>"#
    case .executing: #"<span class="badge busy">executing</span>"#
    case .collected: #"<span class="badge busy">signing</span>"#
    }
  }

  private static func table(_ columns: [String], numbers: Set<String>, _ rows: [HTML], empty: String) -> HTML {
    guard !rows.isEmpty else { return #"<p class="empty">\#(empty)</p>"# }
    let heads = columns.map { name -> HTML in
      #"<th scope="col" class="\#(numbers.contains(name) ? "number" : "")">\#(name)</th>"#
    }
    return "<table><thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table>"
  }

  /// Identifiers are long and alike in the middle: the ends are shown, the whole on hovering and to copy.
  private static func code(_ text: String, short: Bool = true) -> HTML {
    #"<code class="\#(short ? "short" : "")" title="\#(text)">\#(short ? DashboardText.ends(of: text) : text)</code>"#
  }
}
