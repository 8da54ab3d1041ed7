/// The files the page at `/` loads, all from this server.
enum DashboardAssets {
  static let style = """
    :root {
      --ground: #f6f7f9; --surface: #fff; --line: #dfe3e8; --text: #1b2430; --soft: #5c6875;
      --good: #11693b; --good-ground: #dcf3e5; --bad: #a3201f; --bad-ground: #fbe3e1; --busy: #7a4b00; --busy-ground: #fdeecf;
      --accent: #2f5fd0;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #10151c; --surface: #181f28; --line: #2b3440; --text: #e4e9ef; --soft: #97a3b0;
        --good: #6fd99b; --good-ground: #12351f; --bad: #ff9a92; --bad-ground: #451715; --busy: #f3c46b; --busy-ground: #3d2c0a;
        --accent: #86a9ff;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0; background: var(--ground); color: var(--text);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
    }
    main, footer { max-width: 1120px; margin: 0 auto; padding: 0 20px; }
    main { padding-top: 24px; }
    main.stale { opacity: .55; }
    h1 { font-size: 22px; margin: 0 0 12px; display: flex; align-items: center; gap: 12px; }
    h2 { font-size: 16px; margin: 28px 0 8px; }
    code { font: 13px/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
    code.short { white-space: nowrap; }
    small { color: var(--soft); display: block; font-size: 12.5px; }
    .facts { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 0; }
    .facts dt { color: var(--soft); font-size: 12.5px; }
    .facts dd { margin: 0; }
    .badge {
      display: inline-block; padding: 1px 9px; border-radius: 999px; font-size: 12.5px; font-weight: 600; white-space: nowrap;
      background: var(--line); color: var(--text);
    }
    .badge.good { background: var(--good-ground); color: var(--good); }
    .badge.bad { background: var(--bad-ground); color: var(--bad); }
    .badge.busy { background: var(--busy-ground); color: var(--busy); }
    .missing {
      margin: 16px 0 0; padding: 10px 16px 10px 32px; border-radius: 8px; background: var(--bad-ground); color: var(--bad);
    }
    .counts {
      list-style: none; margin: 20px 0 0; padding: 0; display: grid; gap: 10px;
      grid-template-columns: repeat(auto-fit, minmax(130px, 1fr));
    }
    .counts li { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
    .counts .label { color: var(--soft); font-size: 12.5px; }
    .counts b { display: block; font-size: 24px; line-height: 1.25; font-variant-numeric: tabular-nums; white-space: nowrap; }
    .counts .warn b { color: var(--bad); }
    table {
      width: 100%; border-collapse: separate; border-spacing: 0; background: var(--surface);
      border: 1px solid var(--line); border-radius: 8px;
    }
    th { text-align: left; color: var(--soft); font-size: 12.5px; font-weight: 600; }
    th, td { padding: 8px 14px; vertical-align: top; }
    tbody td { border-top: 1px solid var(--line); }
    .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
    .state { font-weight: 600; }
    .error { margin: 2px 0 0; color: var(--bad); font-size: 13px; overflow-wrap: anywhere; }
    .empty { color: var(--soft); background: var(--surface); border: 1px dashed var(--line); border-radius: 8px; padding: 14px; margin: 0; }
    meter { width: 100%; min-width: 90px; height: 14px; }
    footer {
      display: flex; flex-wrap: wrap; justify-content: space-between; gap: 8px 20px;
      padding-top: 24px; padding-bottom: 32px; color: var(--soft); font-size: 13px;
    }
    footer nav { display: flex; flex-wrap: wrap; gap: 4px 18px; }
    a { color: var(--accent); }
    @media (max-width: 720px) {
      main, footer { padding-left: 14px; padding-right: 14px; }
      .counts { grid-template-columns: repeat(3, 1fr); }
      .counts li { padding: 8px 10px; }
      .counts b { font-size: 17px; }
      thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
      table, tbody, tr, td { display: block; }
      tbody tr { padding: 8px 0; border-top: 1px solid var(--line); }
      tbody tr:first-child { border-top: 0; }
      tbody td { border: 0; padding: 3px 14px 3px 112px; position: relative; min-height: 27px; text-align: left; }
      tbody td.number { text-align: left; }
      tbody td::before {
        content: attr(data-label); position: absolute; left: 14px; width: 90px; color: var(--soft); font-size: 12.5px; line-height: 23px;
      }
    }

    """

  /// Fetches the page every two seconds and takes over its content; says so when the daemon does not answer.
  static let script = """
    "use strict";
    const interval = 2000;
    const status = document.getElementById("refresh");
    let lastSuccess = Date.now();

    async function refresh() {
      const response = await fetch("./", { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (!response.ok) throw new Error("status " + response.status);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById("content");
      const shown = document.getElementById("content");
      if (!fresh) throw new Error("an unexpected page");
      const isSelecting = !document.getSelection().isCollapsed;
      if (!isSelecting) shown.replaceWith(document.importNode(fresh, true));
      document.title = page.title;
      lastSuccess = Date.now();
      status.textContent = isSelecting ? "paused while text is selected" : "refreshed every 2 s";
    }

    async function loop() {
      if (!document.hidden) {
        try {
          await refresh();
        } catch {
          document.getElementById("content").classList.add("stale");
          const seconds = Math.round((Date.now() - lastSuccess) / 1000);
          status.textContent = "The daemon has not answered for " + seconds + " s; this is what it said last.";
        }
      }
      setTimeout(loop, interval);
    }

    status.textContent = "refreshed every 2 s";
    setTimeout(loop, interval);

    """

  static let icon = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2f5fd0"/>\
    <path d="M11 25V7h6.5a5.5 5.5 0 0 1 0 11H11" fill="none" stroke="#fff" stroke-width="3.4" stroke-linecap="round" \
    stroke-linejoin="round"/></svg>

    """
}
