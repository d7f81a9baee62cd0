"use strict";
// The coverage map. Reads the data block of its own page; every text goes in by textContent; nothing is fetched.
function sitingMap(mapId) {
  const data = JSON.parse(document.getElementById("siting-data").textContent);
  const state = { lang: data.lang === "en" ? 1 : 0, after: 0, tab: "overview", theme: "by_verdict", query: "", only: "" };
  const hasPlan = data.plan !== null;
  const app = document.getElementById("siting-app");
  const box = document.getElementById(mapId);
  const byId = new Map(data.communities.map((c, i) => [c.id, i]));
  const verdictKeys = data.verdicts.map((v) => v[0]);

  // ---------------------------------------------------------------- words and small parts
  const say = (key) => data.words[key][state.lang];
  const pick = (pair) => pair[state.lang];
  const rulesName = (n) => data.rules[n][state.lang];
  const rulesSource = (n) => data.rules[n][2 + state.lang];
  const service = (id) => (data.services[id] ? pick(data.services[id]) : id);
  const group = (n) => (n === null ? "—" : n.toLocaleString("en-US"));
  const metres = (n) => (n === null ? "—" : group(n) + (state.lang ? " m" : " 米"));
  const squareMetres = (n) => (n === null ? "—" : group(n) + " m²");
  const wan = (text) => text + (state.lang ? " × 10,000 yuan" : " 万元");
  const percent = (n) => (n === null ? "—" : closeTo(n * 100) + "%");
  function closeTo(p) { // never 100 or 0 by rounding
    for (let d = 1; d < 6; d += 1) {
      const text = p.toFixed(d);
      if (p === 100 || p === 0) return String(p);
      if (Number(text) !== 100 && Number(text) !== 0) return text;
    }
    return p.toFixed(6);
  }
  function make(tag, options, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(options || {})) {
      if (key === "class") node.className = value;
      else if (key === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
      else if (key === "style") Object.assign(node.style, value);
      else if (key in node && key !== "list") node[key] = value;
      else node.setAttribute(key, value);
    }
    for (const child of children.flat()) {
      if (child === null || child === undefined || child === "") continue;
      node.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
    return node;
  }
  const tag = (status) => {
    const found = data.statuses.find((s) => s[0] === status);
    return found ? make("span", { class: "tag " + status }, found[1 + state.lang]) : null;
  };

  // ---------------------------------------------------------------- geometry
  function line(flat) {
    const out = [];
    let x = 0;
    let y = 0;
    for (let i = 0; i < flat.length; i += 2) {
      x += flat[i];
      y += flat[i + 1];
      out.push([y / data.scale, x / data.scale]);
    }
    return out;
  }
  const polygons = (encoded) => encoded.map((rings) => rings.map(line));

  // ---------------------------------------------------------------- the map and its panes
  const [west, south, east, north] = data.bounds;
  const map = L.map(box, {
    zoomControl: false, attributionControl: false, maxZoom: 19, minZoom: 3, zoomSnap: 0.25, zoomDelta: 0.75, wheelPxPerZoomLevel: 90,
  });
  const panes = { rings: 375, ground: 380, streets: 390, homes: 410, gaps: 447, others: 435, places: 440, single: 445, stations: 450, plan: 460 };
  for (const [name, order] of Object.entries(panes)) {
    map.createPane(name).style.zIndex = String(order);
  }
  const painters = {};
  for (const name of ["streets", "rings", "homes", "single"]) {
    map.getPane(name).style.pointerEvents = "none";
    painters[name] = L.canvas({ pane: name, padding: 0.2 });
  }
  const layers = {};
  const shown = { roads: true, verdicts: true, homes: true, circles: true, stations: true, others: false, gaps: false, actions: true };
  const swatches = {};

  const popupHeight = Math.max(220, Math.min(440, box.clientHeight * 0.6));

  // roads
  layers.roads = L.polyline(data.roads.map(line), {
    renderer: painters.streets, pane: "streets", color: "#5f5a4e", weight: 0.9, opacity: 0.4, interactive: false, smoothFactor: 1,
  });

  // communities: squares of colour where boundaries are known, discs as large as their households elsewhere
  const thirds = (target) => [[target, "#2c7fb8"], [target * 2 / 3, "#9ecae1"], [target / 3, "#fdc086"], [0, "#a63603"]];
  const areaSteps = thirds(data.targets.area);
  const shareSteps = thirds(data.targets.share);
  const grey = "#c3cad1";
  function stepColour(value, steps) {
    if (value === null) return grey;
    return steps.find((step) => value >= step[0])[1];
  }
  const current = (c) => c.states[Math.min(state.after, c.states.length - 1)];
  function colourOf(c) {
    const now = current(c);
    if (state.theme === "by_share") return stepColour(now[1], shareSteps);
    if (state.theme === "by_area") return stepColour(now[5], areaSteps);
    return data.verdicts[now[0]][3];
  }
  const hasShapes = data.communities.every((c) => c.shape);
  const most = Math.max(1, ...data.communities.map((c) => c.households || 0));
  const places = data.communities.map((c) => {
    const layer = hasShapes
      ? L.polygon(polygons(c.shape), { pane: "ground", weight: 0.9, color: "#ffffff", opacity: 0.9, fillOpacity: 0.62 })
      : L.circleMarker([c.at[1], c.at[0]], {
        pane: "places", radius: 4 + 9 * Math.sqrt((c.households || 0) / most), weight: 1.2, color: "#fff", fillOpacity: 0.9,
      });
    layer.bindTooltip(() => tip(c), { sticky: true });
    layer.bindPopup(() => communitySheet(c), { maxWidth: 400, maxHeight: popupHeight });
    layer.on("mouseover", () => layer.setStyle({ weight: 2.5, color: "#1f2933" }));
    layer.on("mouseout", () => layer.setStyle({ weight: hasShapes ? 0.9 : 1.2, color: "#ffffff" }));
    return layer;
  });
  layers.verdicts = L.layerGroup(places);
  function tip(c) {
    return make("div", {}, make("b", {}, c.name || c.id), make("div", {}, data.verdicts[current(c)[0]][1 + state.lang]));
  }
  const paintCommunities = () => places.forEach((layer, i) => layer.setStyle({ fillColor: colourOf(data.communities[i]) }));

  // homes: one dot a place, inside or outside
  layers.homes = L.layerGroup();
  const homePlaces = line(data.homes.at);
  const homeSize = () => (map.getZoom() >= 15 ? 2.2 : map.getZoom() >= 13.5 ? 1.5 : 1.1);
  let homeSizeNow = 0;
  map.on("zoomend", () => { if (homeSize() !== homeSizeNow) paintHomes(); });
  function paintHomes() {
    layers.homes.clearLayers();
    homeSizeNow = homeSize();
    const bit = state.after && hasPlan ? 2 : 1;
    for (let i = 0; i < homePlaces.length; i += 1) {
      const inside = (Number(data.homes.mark[i]) & bit) !== 0;
      layers.homes.addLayer(L.circleMarker(homePlaces[i], {
        renderer: painters.homes, pane: "homes", interactive: false, stroke: false, radius: inside ? homeSizeNow : homeSizeNow * 1.5, fillOpacity: inside ? 0.4 : 0.95,
        fillColor: inside ? "#0b3c5d" : data.colours.outside,
      }));
    }
  }

  // circles: what all facilities cover together; one circle alone when its facility is asked
  layers.circles = L.layerGroup();
  function paintCircles() {
    layers.circles.clearLayers();
    const draw = (shape, colour, weight) => layers.circles.addLayer(L.polygon(polygons(shape), {
      renderer: painters.rings, pane: "rings", interactive: false, color: colour, weight, opacity: 0.85, fillOpacity: 0.16,
    }));
    for (const [, today, added] of data.circles.grounds) {
      draw(today, data.colours.circle, 1);
      if (state.after) draw(added, data.colours.plan, 1.4);
    }
  }
  const alone = L.layerGroup();
  const rings = [new Map(), new Map()];
  data.circles.single.forEach(([row, shape]) => rings[0].set(row, [...(rings[0].get(row) || []), shape]));
  data.circles.planned.forEach(([row, shape]) => rings[1].set(row, [...(rings[1].get(row) || []), shape]));
  function ringAlone(which, row) {
    alone.clearLayers();
    for (const shape of rings[which].get(row) || []) {
      alone.addLayer(L.polygon(polygons(shape), {
        renderer: painters.single, pane: "single", interactive: false, weight: 2.2, color: which ? data.colours.plan : data.colours.station,
        fillOpacity: 0.12,
      }));
    }
  }
  map.on("popupclose", () => alone.clearLayers());

  // facilities
  layers.stations = L.layerGroup();
  layers.others = L.layerGroup();
  data.facilities.forEach((f, row) => {
    const counted = f[6] === 1;
    const marker = L.circleMarker([f[4], f[3]], {
      pane: counted ? "stations" : "others", radius: counted ? 4.6 : 3, weight: 1.3, color: "#fff", fillOpacity: 1,
      fillColor: counted ? data.colours.station : "#7b8794",
    });
    marker.bindTooltip(() => make("span", {}, f[1] || service(f[2])));
    marker.bindPopup(() => facilitySheet(f), { maxWidth: 340 });
    marker.on("popupopen", () => ringAlone(0, row));
    (counted ? layers.stations : layers.others).addLayer(marker);
  });

  // gaps
  layers.gaps = L.layerGroup();
  const gapsNow = () => data.gaps[Math.min(state.after, data.gaps.length - 1)];
  const paintGaps = () => { layers.gaps.clearLayers(); gapsNow().forEach(addGap); };
  function addGap(g) {
    if (g[8].length) {
      layers.gaps.addLayer(L.polygon(polygons(g[8]), { pane: "gaps", color: data.colours.outside, weight: 1.2, fillOpacity: 0.15, interactive: false }));
    }
    const size = g[0] <= 20 ? 22 : 14;
    const icon = L.divIcon({ className: "rank", html: make("span", {}, g[0] <= 20 ? g[0] : ""), iconSize: [size, size] });
    layers.gaps.addLayer(L.marker([g[7], g[6]], { icon, pane: "gaps", keyboard: false }).bindPopup(() => gapSheet(g), { maxWidth: 320 }));
  }

  // the plan
  layers.actions = L.layerGroup();
  const actionMarkers = [];
  if (hasPlan) {
    data.plan.actions.forEach((a, row) => {
      const icon = L.divIcon({ className: "act", html: make("i", { class: a.new ? "" : "grow" }), iconSize: [14, 14] });
      const marker = L.marker([a.at[1], a.at[0]], { icon, pane: "plan", title: a.id });
      marker.bindPopup(() => actionSheet(a), { maxWidth: 360, maxHeight: popupHeight });
      marker.on("popupopen", () => ringAlone(1, row));
      actionMarkers.push(marker);
      layers.actions.addLayer(marker);
    });
  }

  // ---------------------------------------------------------------- sheets that open on the map
  const pairRow = (name, ...values) => [make("dt", {}, name), make("dd", {}, ...values)];
  function change(now, then) {
    if (!hasPlan || then === null || then === undefined || now === then) return [now];
    return [now, " → ", make("span", { class: "then" }, then)];
  }
  function communitySheet(c) {
    const now = c.states[0];
    const then = c.states[c.states.length - 1];
    const nameOf = (s) => data.verdicts[s[0]][1 + state.lang];
    const rows = c.rules.map((r) => {
      const unit = pick(data.pool[r[5]]);
      const status = data.statuses[r[1]][0];
      const note = pick(data.pool[r[6]]);
      const later = r[8] < 4 && r[8] !== r[1] ? [" → ", tag(data.statuses[r[8]][0])] : [];
      const short = pick(r[4]) && status === "fail" ? say("shortfall") + " " + pick(r[4]) : "";
      return make("tr", {},
        make("td", {}, rulesName(r[0]), make("small", {}, rulesSource(r[0])), note ? make("small", {}, note) : null),
        make("td", { class: "number" }, (r[2] || "—") + (r[3] ? " / " + r[3] : ""), make("small", {}, unit), short ? make("small", {}, short) : null),
        make("td", {}, tag(status), ...later, r[7] ? make("span", { class: "tag near" }, say("near")) : null));
    });
    return make("div", { class: "sheet" },
      make("h3", {}, c.name || c.id),
      make("div", { class: "meta" }, [c.id, c.township, data.areaTypes[c.type] ? pick(data.areaTypes[c.type]) : c.type].filter(Boolean).join(" · ")),
      make("dl", {},
        pairRow(say("by_verdict"), ...change(nameOf(now), nameOf(then))),
        pairRow(say("households"), group(c.households)),
        pairRow(say("reached"), ...change(percent(now[1]), percent(then[1]))),
        pairRow(say("straight"), percent(c.straight)),
        pairRow(say("nearest"), ...change(metres(now[2]), metres(then[2]))),
        pairRow(say("farthest"), ...change(metres(now[3]), metres(then[3]))),
        pairRow(say("per100"), ...change(now[4] + " m²", then[4] + " m²")),
        pairRow(say("missing"), ...change(squareMetres(now[6]), squareMetres(then[6]))),
        c.lacking.length ? pairRow(say("lacking"), c.lacking.map(service).join(state.lang ? ", " : "、")) : []),
      rows.length ? make("table", {}, make("thead", {}, make("tr", {},
        make("th", {}, say("rule")), make("th", { class: "number" }, say("value") + " / " + say("target")), make("th", {}, ""))), make("tbody", {}, rows)) : null);
  }
  function facilitySheet(f) {
    return make("div", { class: "sheet" }, make("h3", {}, f[1] || service(f[2])), make("div", { class: "meta" }, f[0]),
      make("dl", {}, pairRow(say("service"), service(f[2])), pairRow(say("floor_area"), f[5] === null ? say("unknown") : squareMetres(f[5]))));
  }
  const communityName = (id) => (byId.has(id) ? data.communities[byId.get(id)].name || id : id);
  function gapSheet(g) {
    return make("div", { class: "sheet" }, make("h3", {}, say("rank") + " " + g[0]),
      make("dl", {}, pairRow(say("households"), group(g[1])), pairRow(say("communities"), g[2].map(communityName).join(state.lang ? ", " : "、")),
        pairRow(say("nearest"), metres(g[4])), pairRow(say("excess"), metres(g[5]))));
  }
  function actionSheet(a) {
    return make("div", { class: "sheet" }, make("h3", {}, pick(a.how) + " · " + a.id),
      make("dl", {},
        pairRow(say("area"), a.area + " m²"), pairRow(say("cost"), wan(a.cost)), pairRow(say("brings"), a.brings),
        pairRow(say("fills"), a.fills + " m²"),
        a.given.length ? pairRow(say("allotted"), a.given.map(([id, m2]) => communityName(id) + " " + squareMetres(m2)).join(state.lang ? ", " : "、")) : []),
      pick(a.why) ? make("div", { class: "why" }, pick(a.why)) : null,
      pick(a.worth) ? make("div", { class: "note" }, pick(a.worth)) : null);
  }

  // ---------------------------------------------------------------- legend and layer switches
  const keyControl = L.control({ position: "bottomleft" });
  keyControl.onAdd = () => {
    const node = make("details", { class: "key" });
    node.open = window.innerWidth > 860;
    L.DomEvent.disableClickPropagation(node);
    L.DomEvent.disableScrollPropagation(node);
    swatches.node = node;
    return node;
  };
  function counts() {
    const out = verdictKeys.map(() => 0);
    data.communities.forEach((c) => { out[current(c)[0]] += 1; });
    return out;
  }
  function legendRows() {
    if (state.theme === "by_verdict") {
      const many = counts();
      return data.verdicts.map((v, i) => (many[i] ? make("div", { class: "row" },
        make("i", { class: hasShapes ? "square" : "dot", style: { background: v[3] } }), v[1 + state.lang], make("b", {}, many[i])) : null));
    }
    const share = state.theme === "by_share";
    const steps = share ? shareSteps : areaSteps;
    const limit = (step) => (share ? percent(step[0]) : Number(step[0].toFixed(1)) + " m²");
    return [...steps.map((step, i) => make("div", { class: "row" }, make("i", { class: "square", style: { background: step[1] } }),
      i === steps.length - 1 ? "< " + limit(steps[i - 1]) : "≥ " + limit(step))),
    make("div", { class: "row" }, make("i", { class: "square", style: { background: grey } }), say("unknown"))];
  }
  function paintLegend() {
    const node = swatches.node;
    const mark = {
      verdicts: null,
      circles: make("i", { class: "square", style: { background: "rgba(44,127,184,.2)", borderColor: data.colours.circle } }),
      homes: make("i", { class: "dot", style: { background: data.colours.outside, width: "7px", height: "7px", margin: "0 4px" } }),
      stations: make("i", { class: "dot", style: { background: data.colours.station } }),
      others: make("i", { class: "dot", style: { background: "#7b8794", width: "9px", height: "9px" } }),
      gaps: make("i", { class: "dot", style: { background: "#fff", borderColor: data.colours.outside, borderWidth: "2px" } }),
      actions: make("i", { class: "diamond", style: { background: data.colours.plan } }),
      roads: make("i", { class: "stroke" }),
    };
    const row = (name, extra) => [
      make("label", {}, make("input", { type: "checkbox", checked: shown[name], on: { change: (e) => { shown[name] = e.target.checked; applyLayers(); } } }),
        mark[name], say(name)), extra || []];
    const cutoffs = data.circles.grounds.map((ground) => metres(ground[0])).join(state.lang ? ", " : "、");
    const theme = make("div", { class: "choose" }, make("span", {}, say("colour_by")),
      make("select", { "aria-label": say("colour_by"), on: { change: (e) => { state.theme = e.target.value; paintCommunities(); paintLegend(); } } },
        ["by_verdict", "by_share", "by_area"].map((key) => make("option", { value: key, selected: key === state.theme }, say(key)))));
    const parts = [make("summary", {}, say("legend")),
      ...row("verdicts", [theme, ...legendRows()]).flat(),
      ...row("circles", cutoffs ? [make("div", { class: "row" }, cutoffs)] : []).flat(),
      ...row("homes", [
        make("div", { class: "row" }, make("i", { class: "dot", style: { background: "#0b3c5d", width: "7px", height: "7px", opacity: 0.6 } }), say("inside")),
        make("div", { class: "row" }, make("i", { class: "dot", style: { background: data.colours.outside, width: "7px", height: "7px" } }), say("outside"))]).flat(),
      ...row("stations").flat(), ...row("others").flat(),
      ...row("gaps", [make("div", { class: "row" }, say("found_gaps"), make("b", {}, gapsNow().length))]).flat(), ...(hasPlan ? row("actions").flat() : []), ...row("roads").flat()];
    node.replaceChildren(...parts.filter(Boolean));
  }
  function applyLayers() {
    for (const [name, layer] of Object.entries(layers)) {
      const wanted = shown[name] && (name !== "actions" || (hasPlan && state.after));
      if (wanted && !map.hasLayer(layer)) map.addLayer(layer);
      if (!wanted && map.hasLayer(layer)) map.removeLayer(layer);
    }
  }

  // ---------------------------------------------------------------- the panel
  function card(h, wide) {
    const unit = make("small", {}, pick(h.unit));
    const figure = make("div", { class: "figure" }, make("span", {}, h.now === null ? "—" : h.now));
    if (hasPlan && h.after !== null && h.after !== h.now) figure.append(make("span", { class: "arrow" }, "→"), make("span", { class: "then" }, h.after));
    figure.append(unit);
    const extra = [];
    if (h.of !== null) extra.push(say("of") + " " + h.of);
    if (h.target !== null) extra.push(say("target") + " " + h.target);
    if (h.straight !== null) extra.push(say("straight") + " " + h.straight + "%");
    return make("div", { class: "card" + (wide ? " wide" : "") }, make("div", { class: "label" }, pick(h.name)), figure,
      h.share ? meter(h.share[0], h.share[1], h.target !== null ? 1 : null) : null,
      extra.length ? make("div", { class: "foot" }, extra.join(" · ")) : null, make("div", { class: "foot" }, pick(h.source)));
  }
  function meter(now, then, target) {
    const width = (n) => ({ width: (100 * Math.max(0, Math.min(1, n))).toFixed(2) + "%" });
    const bar = make("div", { class: "meter" });
    if (hasPlan && then !== null && then !== undefined) bar.append(make("i", { class: "then", style: width(then) }));
    if (now !== null) bar.append(make("i", { class: "now", style: width(now) }));
    if (target !== null && target !== undefined && target < 1) bar.append(make("i", { class: "mark", style: { left: (100 * target).toFixed(2) + "%" } }));
    return bar;
  }
  function measure(row) {
    const digits = [row.now === null ? "—" : row.now];
    if (hasPlan && row.after !== null && row.after !== row.now) digits.push(" → ", make("span", { class: "then", style: { color: "#7b3294" } }, row.after));
    const foot = [];
    if (row.target !== null) foot.push(say("target") + " " + row.target);
    foot.push(pick(row.source));
    if (pick(row.note)) foot.push(pick(row.note));
    return make("div", { class: "measure" },
      make("div", { class: "head" }, make("span", { class: "label" }, pick(row.name)), make("span", { class: "digits" }, digits, " ", make("small", {}, pick(row.unit)))),
      row.bar ? meter(row.bar[0], row.bar[1], row.bar[2]) : null,
      make("div", { class: "foot" }, tag(row.status[0]),
        hasPlan && row.status[1] && row.status[1] !== row.status[0] ? [" → ", tag(row.status[1])] : null, " ", foot.join(" · ")));
  }
  function curveChart(points) {
    const [wide, tall, left, foot] = [360, 210, 54, 38];
    const draw = (tagName, attributes, text) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tagName);
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      if (text !== undefined) node.textContent = text;
      return node;
    };
    const right = Math.max(...points.map((p) => p[0])) || 1;
    const top = Math.max(...points.map((p) => p[2])) || 1;
    const x = (v) => left + (wide - left - 12) * v / right;
    const y = (v) => tall - foot - (tall - foot - 12) * v / top;
    const svg = draw("svg", { viewBox: `0 0 ${wide} ${tall}`, role: "img", class: "chart" });
    svg.append(draw("title", {}, say("curve")));
    for (let step = 0; step <= 4; step += 1) {
      const level = y(top * step / 4);
      svg.append(draw("line", { x1: left, x2: wide - 12, y1: level, y2: level, stroke: "#e4e7eb" }),
        draw("text", { x: left - 6, y: level + 4, "text-anchor": "end", "font-size": 10, fill: "#52606d" }, group(Math.round(top * step / 4))),
        draw("text", { x: x(right * step / 4), y: tall - foot + 14, "text-anchor": "middle", "font-size": 10, fill: "#52606d" }, group(Math.round(right * step / 4))));
    }
    const path = (k) => points.map((p) => x(p[0]).toFixed(1) + "," + y(p[k]).toFixed(1)).join(" ");
    svg.append(draw("polyline", { points: path(2), fill: "none", stroke: data.colours.plan, "stroke-dasharray": "5 4", "stroke-width": 1.6 }),
      draw("polyline", { points: path(1), fill: "none", stroke: data.colours.circle, "stroke-width": 2 }));
    for (const p of points) {
      const dot = draw("circle", { cx: x(p[0]), cy: y(p[1]), r: 3.5, fill: data.colours.circle });
      dot.append(draw("title", {}, say("budget") + " " + wan(group(p[0])) + " · " + say("weighted") + " " + group(p[1]) + " · " + say("bound") + " " + group(p[2]) + " · " + p[3] + " " + say("found")));
      svg.append(dot);
    }
    svg.append(draw("text", { x: (left + wide) / 2, y: tall - 6, "text-anchor": "middle", "font-size": 11 }, say("budget_axis")));
    return make("div", {}, svg, make("div", { class: "foot" },
      make("span", { style: { color: data.colours.circle } }, "━ " + say("weighted")), "  ", make("span", { style: { color: data.colours.plan } }, "╌ " + say("bound"))));
  }
  const pages = {
    overview() {
      return [make("h2", {}, say("headlines")), make("div", { class: "cards" }, data.headlines.map((h, i) => card(h, i === 0))),
        data.indicators.length ? make("h2", {}, say("indicators")) : null, data.indicators.map(measure)];
    },
    communities() {
      const list = make("ul", { class: "list" });
      const count = make("div", { class: "count" });
      function fill() {
        const query = state.query.trim().toLowerCase();
        const found = data.communities.filter((c) => (!query || (c.name + " " + c.id).toLowerCase().includes(query))
          && (state.only === "" || verdictKeys[current(c)[0]] === state.only));
        count.textContent = found.length + " " + say("found");
        list.replaceChildren(...found.map((c) => {
          const now = current(c);
          const lack = now[6] ? say("missing") + " " + squareMetres(Math.round(now[6])) : "";
          return make("li", {}, make("button", { type: "button", on: { click: () => goTo(c) } },
            make("i", { class: "dot", style: { background: data.verdicts[now[0]][3] } }),
            make("span", { class: "what" }, c.name || c.id, make("small", {}, data.verdicts[now[0]][1 + state.lang] + (c.township ? " · " + c.township : ""))),
            make("span", { class: "much" }, percent(now[1]), lack ? make("div", {}, lack) : null)));
        }));
      }
      const many = counts();
      const tools = make("div", { class: "tools" },
        make("input", { type: "search", placeholder: say("search"), "aria-label": say("search"), value: state.query, on: { input: (e) => { state.query = e.target.value; fill(); } } }),
        make("select", { "aria-label": say("all"), on: { change: (e) => { state.only = e.target.value; fill(); } } },
          make("option", { value: "" }, say("all")),
          data.verdicts.map((v, i) => (many[i] || v[0] === state.only ? make("option", { value: v[0], selected: v[0] === state.only }, v[1 + state.lang] + " " + many[i]) : null))));
      fill();
      return [tools, count, list];
    },
    plan() {
      const p = data.plan;
      return [
        make("p", { class: "lead" }, pick(p.status)),
        make("div", { class: "cards" },
          make("div", { class: "card" }, make("div", { class: "label" }, say("cost")), make("div", { class: "figure" }, p.cost, make("small", {}, wan("").trim()))),
          make("div", { class: "card" }, make("div", { class: "label" }, say("budget")),
            make("div", { class: "figure" }, p.budget === null ? "—" : p.budget, make("small", {}, p.budget === null ? say("no_budget") : wan("").trim())))),
        make("h2", {}, say("bounds")),
        p.stages.map((s) => make("div", { class: "measure" },
          make("div", { class: "head" }, make("span", { class: "label" }, pick(s.name)), make("span", { class: "digits" }, pick(s.value))),
          make("div", { class: "foot" }, say("bound") + " " + pick(s.bound) + " · " + say("gap") + " " + s.gap + "% · " + pick(s.proof)))),
        make("h2", {}, say("actions") + " (" + p.actions.length + ")"),
        make("ul", { class: "list" }, p.actions.map((a, i) => make("li", {}, make("button", { type: "button", on: { click: () => { setAfter(1); map.setView([a.at[1], a.at[0]], Math.max(map.getZoom(), 15), { animate: false }); actionMarkers[i].openPopup(); } } },
          make("i", { class: "diamond", style: { background: a.new ? data.colours.plan : "#fff", outline: "1.5px solid " + data.colours.plan } }),
          make("span", { class: "what" }, pick(a.how) + " · " + a.id, make("small", {}, pick(a.why))),
          make("span", { class: "much" }, a.area + " m²", make("div", {}, wan(a.cost))))))),
        p.phases.length ? make("h2", {}, say("phases")) : null,
        p.phases.map(([year, count, cost, met, sites]) => make("div", { class: "measure" },
          make("div", { class: "head" }, make("span", { class: "label" }, make("b", {}, year), " " + count + " " + say("items")), make("span", { class: "digits" }, say("so_far") + " " + wan(cost))),
          make("div", { class: "foot" }, say("by_year_end") + " " + met + " · " + sites.join(state.lang ? ", " : "、")))),
        p.curve.length > 1 ? make("h2", {}, say("curve")) : null,
        p.curve.length > 1 ? curveChart(p.curve) : null,
        p.blocked.length ? make("h2", {}, say("blocked") + " (" + p.blocked.length + ")") : null,
        make("ul", { class: "list" }, p.blocked.map(([id, reason, note]) => make("li", {}, make("button", { type: "button", on: { click: () => { if (byId.has(id)) goTo(data.communities[byId.get(id)]); } } },
          make("i", { class: "dot", style: { background: data.colours.outside } }), make("span", { class: "what" }, communityName(id), make("small", {}, pick(note) || pick(reason))), make("span", { class: "much" }, pick(reason)))))),
      ];
    },
    about() {
      const a = data.about;
      const severity = [["error", a.issues[0]], ["warning", a.issues[1]], ["note", a.issues[2]]];
      const severityWords = { error: ["错误", "errors"], warning: ["提醒", "warnings"], note: ["说明", "notes"] };
      return [
        make("p", { class: "note" }, say("offline")),
        make("h2", {}, say("standard")), make("div", {}, data.standard[state.lang], make("div", { class: "note" }, data.standard[2])),
        make("h2", {}, say("definitions")),
        make("table", {}, make("tbody", {}, a.definitions.map((d) => make("tr", {}, make("td", {}, make("b", {}, d[state.lang]), make("div", {}, d[2 + state.lang])))))),
        make("h2", {}, say("assumptions")),
        make("table", {}, make("tbody", {}, a.assumptions.map((d) => make("tr", {}, make("td", {}, d[state.lang], make("small", {}, d[4 + state.lang])), make("td", { class: "number" }, d[2 + state.lang]))))),
        make("h2", {}, say("inputs")),
        make("table", {}, make("tbody", {}, a.inputs.map((d) => make("tr", {}, make("td", {}, pick(d[0])), make("td", {}, d[1]), make("td", { class: "number" }, d[3] + " / " + d[2]))))),
        make("p", { class: "note" }, pick(a.spread)),
        make("h2", {}, say("issues")),
        make("div", {}, severity.map(([key, n]) => severityWords[key][state.lang] + " " + n).join(" · ")), make("p", { class: "note" }, say("issues_where")),
        a.unroutable.length ? make("h2", {}, say("unroutable")) : null,
        make("table", {}, make("tbody", {}, a.unroutable.map((d) => make("tr", {}, make("td", {}, pick(d[0])), make("td", {}, d[1]), make("td", { class: "number" }, metres(d[2])))))),
      ];
    },
  };
  function goTo(c) {
    const layer = places[byId.get(c.id)];
    if (!shown.verdicts) { shown.verdicts = true; applyLayers(); paintLegend(); }
    if (hasShapes) map.fitBounds(layer.getBounds(), { maxZoom: 15, padding: [60, 60], animate: false });
    else map.setView([c.at[1], c.at[0]], Math.max(map.getZoom(), 15), { animate: false });
    layer.openPopup();
  }

  // ---------------------------------------------------------------- frame
  const head = make("header", { class: "bar" });
  const tabs = make("div", { class: "tabs", role: "tablist" });
  const page = make("div", { class: "page", role: "tabpanel" });
  const panel = make("aside", { class: "panel" }, tabs, page);
  app.prepend(head);
  app.append(panel);
  function paintPage() {
    page.replaceChildren(...pages[state.tab]().flat(3).filter((node) => node !== null && node !== undefined));
    tabs.replaceChildren(...Object.keys(pages).filter((name) => hasPlan || name !== "plan").map((name) => make("button", {
      type: "button", role: "tab", "aria-selected": String(name === state.tab), on: { click: () => { state.tab = name; page.scrollTop = 0; paintPage(); } },
    }, say(name))));
  }
  function paintHead() {
    const segment = (n, key) => make("button", { type: "button", "aria-pressed": String(state.after === n), on: { click: () => setAfter(n) } }, say(key));
    head.replaceChildren(
      make("div", { class: "name" }, make("h1", {}, data.study), make("div", { class: "under" }, say("title") + " · " + data.standard[state.lang] + " " + data.standard[2])),
      ...(hasPlan ? [make("div", { class: "segments", role: "group" }, segment(0, "now"), segment(1, "after"))] : []),
      make("button", { type: "button", on: { click: whole } }, say("whole")),
      make("button", { type: "button", id: "siting-language", on: { click: () => { state.lang = 1 - state.lang; paintAll(); } } }, say("language")),
      make("button", { type: "button", title: say("panel"), "aria-label": say("panel"), on: { click: () => { app.classList.toggle("closed"); map.invalidateSize(); } } }, "☰"));
  }
  function setAfter(n) {
    if (state.after === n) return;
    state.after = n;
    paintAll();
  }
  function paintAll() {
    document.documentElement.lang = state.lang ? "en" : "zh-CN";
    map.closePopup();
    paintHead();
    paintPage();
    paintCommunities();
    paintHomes();
    paintCircles();
    paintGaps();
    paintLegend();
    applyLayers();
  }
  const whole = () => map.fitBounds([[south, west], [north, east]], {
    paddingTopLeft: [window.innerWidth > 1100 && swatches.node.open ? 225 : 24, 24], paddingBottomRight: [24, 24],
  });
  L.control.zoom({ position: "topright" }).addTo(map);
  L.control.scale({ position: "bottomright", imperial: false, maxWidth: 160 }).addTo(map);
  const arrow = L.control({ position: "topright" });
  arrow.onAdd = () => make("div", { class: "north" }, "▲", make("br"), "N");
  arrow.addTo(map);
  keyControl.addTo(map);
  alone.addTo(map);
  paintHead();
  paintPage();
  map.invalidateSize();
  whole();
  paintAll();
  return map;
}
