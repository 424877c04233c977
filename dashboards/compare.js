"use strict";
// Draws the charts of a comparison from the figures in the page. Nothing is loaded; without it the tables say the same.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;

  document.getElementById("theme").addEventListener("click", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
  });

  const roles = [["publisher", "publishers"], ["broker", "brokers"], ["subscriber", "subscribers"]];
  const faultNames = {
    "burst": "burst × 10", "slow-subscriber": "slow subscriber", "subscriber-killed": "subscriber killed",
    "broker-killed": "broker killed", "network-cut": "network cut",
  };

  // --- Small tools -----------------------------------------------------------------------------------------------------

  const svgNamespace = document.querySelector("svg.diagram")?.namespaceURI;
  function element(name, attributes = {}, ...children) {
    const node = document.createElementNS(svgNamespace, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    for (const child of children) node.append(child);
    return node;
  }
  const label = (x, y, text, attributes = {}) => element("text", { x, y, ...attributes }, text);
  function hint(node, text) { node.append(element("title", {}, text)); return node; }
  function count(value) { return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f"); }
  function number(value) {
    if (value === 0) return "0";
    if (value >= 99.5) return count(value);
    return value >= 9.95 ? value.toFixed(1) : value >= 0.995 ? value.toFixed(2) : value.toFixed(3);
  }
  const axis = (value) => value >= 1000 ? count(value) : `${+value.toPrecision(3)}`;
  const time = (ms) => ms >= 10000 ? `${number(ms / 1000)} s` : `${number(ms)} ms`;
  function ticks(maximum, wanted = 4) {
    const raw = maximum / wanted, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= raw);
    const values = [];
    for (let value = 0; value <= maximum * 1.0001; value += step) values.push(value);
    return values;
  }
  function caption(entries, title) {
    const node = document.createElement("p");
    node.className = "caption";
    if (title) node.append(title);
    for (const [text, color] of entries) {
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.style.setProperty("--color", color);
      swatch.textContent = text;
      node.append(swatch);
    }
    return node;
  }
  function canvas(width, height, description) {
    return element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": description });
  }

  // --- Horizontal bars, stacked ----------------------------------------------------------------------------------------

  // rows: [{name, parts: [{value, color, name}], text}]
  function bars(width, rows, description) {
    const left = Math.max(...rows.map((row) => row.name.length)) * 7.6 + 16, right = 84, height = 34, plot = width - left - right;
    const maximum = Math.max(...rows.map((row) => row.parts.reduce((sum, part) => sum + part.value, 0)), 1e-9);
    const svg = canvas(width, rows.length * height + 26, description);
    for (const tick of ticks(maximum)) {
      const x = left + tick / maximum * plot;
      svg.append(element("line", { class: "grid", x1: x, x2: x, y1: 0, y2: rows.length * height }),
        label(x, rows.length * height + 18, axis(tick), { class: "soft", "text-anchor": "middle" }));
    }
    rows.forEach((row, index) => {
      const y = index * height;
      svg.append(label(left - 12, y + 21, row.name, { "text-anchor": "end" }));
      let x = left;
      for (const part of row.parts) {
        const size = part.value / maximum * plot;
        if (size > 0) svg.append(hint(element("rect", {
          x, y: y + 6, width: Math.max(size, 1), height: height - 12, fill: part.color, rx: 2,
        }), `${row.name}, ${part.name}: ${number(part.value)}`));
        x += size;
      }
      svg.append(label(x + 8, y + 21, row.text, { class: "value" }));
    });
    return svg;
  }

  // --- Ranges on a logarithmic scale -------------------------------------------------------------------------------------

  // rows: [{name, points: [{value, name}]}], values in milliseconds
  function ranges(width, rows, description) {
    const left = Math.max(...rows.map((row) => row.name.length)) * 7.6 + 16, right = 26, height = 40, plot = width - left - right;
    const values = rows.flatMap((row) => row.points.map((point) => Math.max(point.value, 0.1)));
    const low = Math.floor(Math.log10(Math.min(...values))), high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
    const x = (value) => left + (Math.log10(Math.max(value, 0.1)) - low) / (high - low) * plot;
    const svg = canvas(width, rows.length * height + 26, description);
    for (let power = low; power <= high; power++) {
      svg.append(element("line", { class: "grid", x1: x(10 ** power), x2: x(10 ** power), y1: 0, y2: rows.length * height }),
        label(x(10 ** power), rows.length * height + 18, power >= 3 ? `${10 ** (power - 3)} s` : `${10 ** power} ms`,
          { class: "soft", "text-anchor": "middle" }));
    }
    rows.forEach((row, index) => {
      const y = index * height + height / 2, first = x(row.points[0].value), last = x(row.points.at(-1).value);
      svg.append(label(left - 12, y + 5, row.name, { "text-anchor": "end" }),
        element("line", { x1: first, x2: last, y1: y, y2: y, stroke: row.color, "stroke-width": 3, "stroke-opacity": 0.35 }));
      row.points.forEach((point, step) => svg.append(hint(element("circle", {
        cx: x(point.value), cy: y, r: 7 - step, fill: step === 0 ? row.color : "var(--card)", stroke: row.color, "stroke-width": 2.5,
      }), `${row.name}, ${point.name}: ${time(point.value)}`)));
    });
    return svg;
  }

  // --- Lines -------------------------------------------------------------------------------------------------------------

  // lines: [{name, color, points: [[x, y]]}]
  function lines(width, series, xTitle, description) {
    const left = 56, right = 18, top = 12, bottom = 44, height = 260, plot = width - left - right;
    const xs = [...new Set(series.flatMap((line) => line.points.map((point) => point[0])))].sort((a, b) => a - b);
    const maximum = Math.max(...series.flatMap((line) => line.points.map((point) => point[1])), 1e-9) * 1.05;
    const x = (value) => left + (xs.length < 2 ? plot / 2 : (value - xs[0]) / (xs.at(-1) - xs[0]) * plot);
    const y = (value) => top + (1 - value / maximum) * (height - top - bottom);
    const svg = canvas(width, height, description);
    for (const tick of ticks(maximum)) svg.append(
      element("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }),
      label(left - 8, y(tick) + 4, axis(tick), { class: "soft", "text-anchor": "end" }));
    for (const value of xs) svg.append(label(x(value), height - bottom + 20, value, { class: "soft", "text-anchor": "middle" }));
    svg.append(label(left + plot / 2, height - 6, xTitle, { class: "soft", "text-anchor": "middle" }));
    for (const line of series) {
      svg.append(element("polyline", {
        points: line.points.map((point) => `${x(point[0])},${y(point[1])}`).join(" "), fill: "none", stroke: line.color, "stroke-width": 2.5,
      }));
      for (const point of line.points) svg.append(hint(element("circle", { cx: x(point[0]), cy: y(point[1]), r: 4.5, fill: line.color }),
        `${line.name}, ${point[0]} × ${point[0]}: ${number(point[1])}`));
    }
    return svg;
  }

  // --- The charts ----------------------------------------------------------------------------------------------------------

  const color = (name) => `var(--${name})`;
  const wayColor = (stage) => color(stage.isDirect ? "direct" : "brokered");
  const ways = [["direct", color("direct")], ["with brokers", color("brokered")]];
  const measured = (key) => data.stages.filter((stage) => stage[key]);

  function costRows(key) {
    return measured(key).map((stage) => ({
      name: stage.name,
      parts: roles.map(([role, name]) => ({
        name, color: color(role), value: stage[key].roles.find((cost) => cost.role === role)?.cpuSecondsPerMillion ?? 0,
      })),
      text: number(stage[key].roles.reduce((sum, cost) => sum + cost.cpuSecondsPerMillion, 0)),
    }));
  }

  const latencyPoints = (latency) => [["median", "p50"], ["p99", "p99"], ["p99.9", "p999"], ["maximum", "maximum"]]
    .map(([name, key]) => ({ name, value: latency[key] }));

  const charts = {
    size(width) {
      return [caption(ways, "Links between two processes"), bars(width, data.stages.map((stage) => ({
        name: stage.name, parts: [{ name: "links", value: stage.shape.connections, color: wayColor(stage) }],
        text: count(stage.shape.connections),
      })), "Links of each stage")];
    },
    freshness(width) {
      const rows = measured("steady").map((stage) => ({
        name: stage.name, color: wayColor(stage), points: latencyPoints(stage.steady.latency),
      }));
      return rows.length && [caption(ways, "Collected → committed: median (filled), p99, p99.9 and maximum"),
        ranges(width, rows, "Latency of each stage")];
    },
    cost(width) {
      const rows = costRows("steady");
      return rows.length && [caption(roles.map(([role, name]) => [name, color(role)]), "CPU seconds for a million delivered samples"),
        bars(width, rows, "CPU seconds of each stage by role")];
    },
    limit(width) {
      const rows = measured("peak").map((stage) => ({
        name: stage.name, parts: [{ name: "delivered a second", value: stage.peak.deliveredPerSecond, color: wayColor(stage) }],
        text: number(stage.peak.deliveredPerSecond),
      }));
      return rows.length && [caption(ways, "Samples delivered a second, over all subscribers"), bars(width, rows, "Deliveries at the limit")];
    },
    accounts(width) {
      const faults = Object.keys(faultNames).filter((fault) => data.stages.some((stage) => stage.faults.some((one) => one.fault === fault)));
      return faults.length && [caption([], "Samples lost, by fault and stage (hover: recovery)"), matrix(width, faults)];
    },
    modes(width) {
      const rows = data.modes.map((mode) => ({ name: mode.mode, color: color("subscriber"), points: latencyPoints(mode.steady.latency) }));
      return rows.length && [caption([], "Collected → committed: median (filled), p99, p99.9 and maximum"), ranges(width, rows, "Latency by mode")];
    },
    scale(width) {
      if (!data.scale.length) return null;
      const line = (value) => [true, false].map((isDirect) => ({
        name: isDirect ? "direct" : "with a broker", color: color(isDirect ? "direct" : "brokered"),
        points: data.scale.filter((point) => point.isDirect === isDirect).map((point) => [point.publishers, value(point)]),
      }));
      const pair = document.createElement("div");
      pair.className = "pair";
      const half = width > 880 ? width / 2 - 11 : width;
      for (const [title, value] of [["Links", (point) => point.connections], ["CPU seconds per million samples", (point) => point.cpuSecondsPerMillion]]) {
        const box = document.createElement("div");
        box.append(caption(ways, title), lines(half, line(value), "publishers, and as many subscribers", title));
        pair.append(box);
      }
      return [pair];
    },
  };

  function matrix(width, faults) {
    const stages = data.stages.filter((stage) => stage.faults.length);
    const left = Math.max(...stages.map((stage) => stage.name.length)) * 7.6 + 16, cell = (width - left) / faults.length, height = 38;
    const lost = (stage, fault) => stage.faults.find((one) => one.fault === fault);
    const maximum = Math.max(1, ...stages.flatMap((stage) => stage.faults.map((one) => one.lost)));
    const svg = canvas(width, stages.length * height + 30, "Samples lost by fault and stage");
    faults.forEach((fault, column) => svg.append(
      label(left + (column + 0.5) * cell, 16, faultNames[fault], { class: "soft", "text-anchor": "middle" })));
    stages.forEach((stage, row) => {
      const y = 28 + row * height;
      svg.append(label(left - 12, y + 23, stage.name, { "text-anchor": "end" }));
      faults.forEach((fault, column) => {
        const result = lost(stage, fault), x = left + column * cell;
        if (!result) {
          svg.append(label(x + cell / 2, y + 23, "–", { class: "soft", "text-anchor": "middle" }));
          return;
        }
        const weight = result.lost === 0 ? 0 : 0.14 + 0.4 * Math.log1p(result.lost) / Math.log1p(maximum);
        const box = element("rect", {
          x: x + 2, y: y + 2, width: cell - 4, height: height - 4, rx: 6, "fill-opacity": result.lost === 0 ? 1 : weight,
          fill: result.lost === 0 ? "var(--best-fill)" : "var(--worst)",
        });
        const recovery = result.recoverySeconds === undefined ? "not recovered in time" : `fresh again after ${number(result.recoverySeconds)} s`;
        svg.append(hint(box, `${stage.name}, ${faultNames[fault]}: ${count(result.lost)} lost, ${recovery}`),
          label(x + cell / 2, y + 23, count(result.lost), { class: "value", "text-anchor": "middle", "pointer-events": "none" }));
      });
    });
    return svg;
  }

  function draw() {
    for (const box of document.querySelectorAll("[data-chart]")) {
      const width = Math.min(1036, box.parentElement.clientWidth - 38);
      const content = charts[box.dataset.chart]?.(width);
      box.replaceChildren(...(content || []));
    }
  }
  let drawnWidth = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== drawnWidth) { drawnWidth = innerWidth; draw(); } });
  draw();
})();
