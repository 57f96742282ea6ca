"use strict";
(() => {
  const content = JSON.parse(document.getElementById("figures").textContent);
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const hidden = new Set();
  const stale = new Set(content.plots.map((plot) => plot.id));
  const near = new Set();
  let focus = null;

  const theme = () => root.dataset.theme || (system.matches ? "dark" : "light");
  // The buttons are listed, because plotly.js by itself adds one that uploads the data; nothing may leave this page.
  const config = {
    responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "",
    modeBarButtons: [["toImage"], ["zoom2d", "pan2d", "resetScale2d"]],
  };

  // Every colour of the light theme is replaced by its partner; only values of keys that hold colours.
  const darkened = (value, key = "") => {
    if (typeof value === "string") return /color$/i.test(key) ? content.dark[value] || value : value;
    if (Array.isArray(value)) return typeof value[0] === "object" ? value.map((item) => darkened(item)) : value;
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, darkened(item, name)]));
  };

  const highlighted = (trace) => {
    if (trace.meta.muted) {
      if (trace.line) trace.line.color = content.ink;
      if (trace.marker) trace.marker.color = content.ink;
      if (trace.error_x) trace.error_x.color = content.ink;
    }
    if (trace.meta.kind === "line") trace.line.width += 1;
    if (trace.meta.kind === "band") trace.visible = true;
  };

  const prepared = (plot) => {
    const { data, layout } = structuredClone(plot.figure);
    for (const trace of data) {
      const group = trace.meta.group;
      if (!group) continue;
      if (focus === group) highlighted(trace);
      else if (focus !== null && !plot.group) trace.opacity = 0.2;
      if (hidden.has(group)) trace.visible = false;
    }
    if (focus !== null) data.sort((a, b) => (a.meta.group === focus) - (b.meta.group === focus));
    return theme() === "dark" ? { data: darkened(data), layout: darkened(layout) } : { data, layout };
  };

  const draw = (plot) => {
    const { data, layout } = prepared(plot);
    const name = { toImageButtonOptions: { filename: plot.id, format: "svg" } };
    stale.delete(plot.id);
    return Plotly.react(plot.id, data, layout, { ...config, ...name });
  };

  // Only what is near the screen is drawn; the rest waits until it comes near.
  const refresh = () => window.Plotly && content.plots.filter((plot) => stale.has(plot.id) && near.has(plot.id)).forEach(draw);
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) near.add(entry.target.id);
      else near.delete(entry.target.id);
    }
    refresh();
  }, { rootMargin: "400px" });

  // plotly.js is in this file, compressed; the content policy knows the digest of what comes out.
  const unpack = async () => {
    const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (sign) => sign.charCodeAt(0));
    const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
  };

  const update = () => {
    for (const plot of content.plots) {
      stale.add(plot.id);
      const panel = document.getElementById(plot.id).closest(".panel");
      if (plot.group) {
        panel.hidden = hidden.has(plot.group);
        panel.dataset.focus = focus === null ? "" : focus === plot.group ? "yes" : "no";
      }
    }
    for (const button of document.querySelectorAll("[data-hides]")) {
      button.setAttribute("aria-pressed", String(!hidden.has(button.dataset.hides)));
    }
    for (const button of document.querySelectorAll("[data-pick]")) {
      const chosen = focus === button.dataset.pick;
      button.setAttribute("aria-pressed", String(chosen));
      button.closest("tr").dataset.focus = chosen ? "yes" : "";
    }
    refresh();
  };

  const setTheme = (name, keep) => {
    root.dataset.theme = name;
    if (keep) {
      try { localStorage.setItem("stepwell-theme", name); } catch { /* a file may not be allowed to remember */ }
    }
    showTheme();
  };
  const showTheme = () => {
    const other = theme() === "dark" ? "light" : "dark";
    const button = document.getElementById("theme");
    button.textContent = other === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", `Switch to the ${other} theme`);
    update();
  };

  const copied = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { hides, pick, show, copy } = button.dataset;
    if (button.id === "theme") setTheme(theme() === "dark" ? "light" : "dark", true);
    else if (copy) copied(button);
    else if (hides !== undefined) {
      if (!hidden.delete(hides)) hidden.add(hides);
      if (focus === hides) focus = null;
      update();
    } else if (pick !== undefined) {
      focus = focus === pick ? null : pick;
      hidden.delete(pick);
      update();
    } else if (show) {
      const shown = new Set(show === "best" ? content.best : content.groups);
      content.groups.forEach((group) => (shown.has(group) ? hidden.delete(group) : hidden.add(group)));
      focus = null;
      update();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && focus !== null) {
      focus = null;
      update();
    }
  });
  system.addEventListener("change", showTheme);

  let before = null;
  addEventListener("beforeprint", () => {
    before = { theme: root.dataset.theme, closed: [...document.querySelectorAll("details:not([open])")] };
    root.dataset.theme = "light";
    before.closed.forEach((part) => { part.open = true; });
    update();
    content.plots.filter((plot) => stale.has(plot.id)).forEach(draw);
  });
  addEventListener("afterprint", () => {
    if (before.theme) root.dataset.theme = before.theme;
    else delete root.dataset.theme;
    before.closed.forEach((part) => { part.open = false; });
    update();
  });

  try {
    const kept = localStorage.getItem("stepwell-theme");
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  } catch { /* a file may not be allowed to remember */ }
  showTheme();
  unpack().then(() => content.plots.forEach((plot) => watcher.observe(document.getElementById(plot.id))));
})();
